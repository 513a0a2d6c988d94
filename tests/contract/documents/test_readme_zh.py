"""The Chinese README says the same as the English one, part by part."""

import re
from collections import Counter

from tests.support.documents import SPAN, Document, read_document

ENGLISH, CHINESE = read_document("README.md"), read_document("README.zh-CN.md")
COMMENT = re.compile(r"\s*(?:^|\s)#.*$", re.MULTILINE)


def sections(document: Document) -> list[str]:
    """Returns the prose before the first heading of level 2, and below each of them."""
    return re.split(r"^## .*$", document.prose, flags=re.MULTILINE)


def comments_of(text: str) -> list[str]:
    return [match.strip(" #") for match in COMMENT.findall(text)]


def test_its_headings_stand_one_to_one():
    levels = [[level for level, _ in page.headings] for page in (ENGLISH, CHINESE)]
    assert levels[0] == levels[1]
    assert ENGLISH.headings[0] == CHINESE.headings[0]


def test_its_code_is_the_same_but_for_comments():
    assert len(ENGLISH.blocks) == len(CHINESE.blocks)
    for ours, theirs in zip(ENGLISH.blocks, CHINESE.blocks, strict=True):
        assert ours.language == theirs.language
        assert COMMENT.sub("", ours.text) == COMMENT.sub("", theirs.text), str(theirs)
        assert len(comments_of(ours.text)) == len(comments_of(theirs.text)), str(theirs)


def test_its_links_lead_to_the_same_places():
    def targets(document: Document) -> list[list[str]]:
        outside = [link for link in document.links if link[:1] != "#"]
        # Where a page is there in Chinese, the Chinese README leads to that.
        pages = [link.replace(".zh-CN.md", ".md") for link in outside if "README" not in link]
        return [sorted(pages)]

    assert targets(ENGLISH) == targets(CHINESE)


def test_its_sections_name_the_same_things_in_code():
    for number, (ours, theirs) in enumerate(zip(sections(ENGLISH), sections(CHINESE), strict=True)):
        assert Counter(SPAN.findall(ours)) == Counter(SPAN.findall(theirs)), number


def test_each_leads_to_the_other():
    assert "README.zh-CN.md" in ENGLISH.links
    assert "README.md" in CHINESE.links
