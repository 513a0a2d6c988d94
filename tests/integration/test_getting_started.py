"""The walk of docs/getting-started.md, typed as it stands, as far as an API server alone can go."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.apiserver import ControlPlane
from tests.integration.installed import installed_control_plane
from tests.support.documents import read_document

PAGE = read_document("docs/getting-started.md")
NEEDS_MORE = ("port-forward", "wait", "--watch", "namespace")
"""Words of lines that need pods, or a controller that empties a namespace."""

TYPED = [
    words
    for block in PAGE.blocks
    if block.language == "sh"
    for line in block.text.replace("\\\n", " ").splitlines()
    if (words := shlex.split(line, comments=True))[:1] == ["kubectl"]
    and not set(words) & set(NEEDS_MORE)
]


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with installed_control_plane() as plane:
        yield plane


def write_the_readers_file(directory: Path) -> str:
    """Writes the page's YAML where the page says it is, and returns its path."""
    (block,) = (block for block in PAGE.blocks if block.language == "yaml")
    match = re.match(r"# (\S+\.yaml)\n", block.text)
    assert match is not None
    file = directory / match[1]
    file.write_text(block.text, encoding="utf-8")
    return str(file)


def test_every_line_for_kubectl_does_what_it_is_there_for(plane, tmp_path):
    file = write_the_readers_file(tmp_path)
    assert len(TYPED) > 10
    done = []
    for _, *words in TYPED:
        here = [file if word == Path(file).name else word for word in words]
        done.append((words, plane.kubectl(*here)))
    said = {" ".join(words): answer for words, answer in done}
    assert "chat" in said["get vtd chat -o wide"]
    assert "Line of waiting requests" in said["explain vtd.spec.saturation"]
    assert said["delete vtd --all --all-namespaces"].count(" deleted") == 2
    assert "vibethinkerdeployments" not in plane.kubectl("get", "crd", "-o", "name")
