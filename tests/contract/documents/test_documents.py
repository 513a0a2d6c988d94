"""What the pages for people tell to type or to follow is there."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from vibethinker_operator import names
from vibethinker_operator.api import parse_deployment
from vibethinker_operator.condition_meanings import CONDITIONS

from tests.support.documents import CodeBlock, Document, read_documents

DOCUMENTS = read_documents()
BLOCKS = [block for document in DOCUMENTS for block in document.blocks]
EACH = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.path)
CHART = Path("charts/vibethinker-operator")
OURS = re.compile(r"apiVersion: " + re.escape(names.API_VERSION))


def of_language(language: str) -> list[CodeBlock]:
    return [block for block in BLOCKS if block.language == language]


def slug(title: str) -> str:
    """Returns the anchor that GitHub gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title).lower())
    return kept.replace(" ", "-")


def test_there_are_pages_and_blocks_to_look_at():
    assert len(DOCUMENTS) > 10
    assert len(of_language("yaml")) >= 4
    assert len(of_language("sh")) > 15


@EACH
def test_every_link_of_a_page_leads_somewhere(document):
    for link in document.links:
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = Path(document.path).parent / path if path else Path(document.path)
        assert target.exists(), f"{document.path}: {link}"
        if anchor:
            text = Document(str(target), target.read_text(encoding="utf-8"))
            assert anchor in {slug(title) for _, title in text.headings}, link


@EACH
def test_every_make_target_that_it_names_exists(document):
    lines = Path("Makefile").read_text(encoding="utf-8").splitlines()
    targets = {line.split(":")[0] for line in lines if re.match(r"[a-z0-9-]+:( |$)", line)}
    assert "demo" in targets
    for target in re.findall(r"\bmake ([a-z][a-z0-9-]*)", document.commands):
        assert target in targets, f"{document.path}: make {target}"


@EACH
def test_every_file_that_it_tells_to_apply_exists(document):
    for path in re.findall(r" -[fk] ([\w.-]+/[\w./-]+)", document.commands):
        assert Path(path).exists(), f"{document.path}: {path}"


@EACH
def test_every_condition_that_it_waits_for_exists(document):
    for condition in re.findall(r"wait vtd \S+ --for=condition=(\w+)", document.commands):
        assert condition in CONDITIONS


@pytest.mark.parametrize("block", of_language("yaml"), ids=str)
def test_every_yaml_block_is_yaml_and_one_of_ours_is_obeyed(block):
    for document in yaml.safe_load_all(block.text):
        if isinstance(document, dict) and document.get("apiVersion") == names.API_VERSION:
            metadata: dict[str, Any] = {"namespace": "default", "uid": "u"}
            parse_deployment(document | {"metadata": metadata | document["metadata"]})


def test_every_resource_of_ours_stands_in_a_yaml_block():
    for block in BLOCKS:
        assert block.language == "yaml" or not OURS.search(block.text), str(block)


@pytest.mark.parametrize("block", of_language("sh"), ids=str)
def test_every_shell_block_is_one_that_a_shell_can_read(block):
    checked = subprocess.run(
        ["bash", "-n"], input=block.text, text=True, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@EACH
def test_every_value_that_it_sets_is_one_of_the_chart(document):
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    helm = "\n".join(re.findall(r"^helm .*$", document.commands, re.MULTILINE))
    for path in re.findall(r"--set ([a-z][A-Za-z.]*)=", helm):
        found: Any = values
        for part in path.split("."):
            assert part in found, f"{document.path}: --set {path}"
            found = found[part]


@EACH
def test_every_chart_that_it_installs_is_there(document):
    for path in re.findall(r"helm (?:install|upgrade) \S+ (\S+)", document.commands):
        assert (Path(path) / "Chart.yaml").exists(), f"{document.path}: {path}"
