"""The page on the deployment article: both languages say the same, and its figures are ours."""

import argparse
import functools
import importlib.util
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from vibethinker_operator.api import Spec
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.figures import OVERHEAD_BYTES
from vibethinker_operator.model_sizes import MODEL_SIZES, WeightFormat
from vibethinker_server.command_line import build_parser

from tests.bench.paged.__main__ import measure, read_tables
from tests.bench.weights.__main__ import measure as measure_weights
from tests.support.documents import SPAN, Document, read_document

ENGLISH, CHINESE = read_document("docs/article.md"), read_document("docs/article.zh-CN.md")
EACH = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=lambda page: page.path)
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
CRD = Path("manifests/crd/vibethinkerdeployments.yaml")
# Named for what is built beside this page: to be emptied once all of it is here.
AWAITED_FIELDS: set[str] = set()
AWAITED_COMMANDS: set[str] = set()
TABLES = {"Azure 2023": "azure-conv-2023", "ServeGen": "servegen-deepseek-r1"}


def sections(page: Document) -> list[str]:
    """Returns the text before the first heading of level 2, and below each of them."""
    return re.split(r"^## ", page.text, flags=re.MULTILINE)


def numbers(text: str) -> Counter[str]:
    return Counter(NUMBER.findall(text))


@functools.cache
def spec_schema() -> dict[str, Any]:
    """Returns the schema of `spec` in the CRD that is installed."""
    (version,) = yaml.safe_load(CRD.read_text(encoding="utf-8"))["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


def fields(page: Document) -> dict[str, set[str]]:
    """Returns the fields that the page names as code, and the values that it gives them."""
    found: dict[str, set[str]] = {}
    tops = "|".join(spec_schema()["properties"])
    for span in SPAN.findall(page.prose):
        named = re.fullmatch(rf"((?:{tops})(?:\[\])?(?:\.\w+)+)(?:: (.+))?", span)
        if named:
            found.setdefault(named[1], set()).update([named[2]] if named[2] else [])
    return found


def find_field(path: str) -> dict[str, Any] | None:
    schema: dict[str, Any] | None = spec_schema()
    for part in re.sub(r"\[\]", ".items", path).split("."):
        if schema is None:
            return None
        schema = schema.get("items") if part == "items" else schema["properties"].get(part)
    return schema


def rows_of(page: Document, lengths: str, cap: int) -> list[list[str]]:
    """Returns the cells of each row on `lengths` under `cap`."""
    cells = [[cell.strip() for cell in line.split("|")] for line in page.text.splitlines()]
    return [row[3:-1] for row in cells if lengths in "|".join(row[1:2]) and row[2] == str(cap)]


def test_both_languages_have_the_same_headings_links_and_code():
    levels = [[level for level, _ in page.headings] for page in (ENGLISH, CHINESE)]
    assert levels[0] == levels[1]
    links = [[link for link in page.links if "README" not in link] for page in (ENGLISH, CHINESE)]
    assert links[0][1:] == links[1][1:]
    assert (links[0][0], links[1][0]) == ("article.zh-CN.md", "article.md")
    for ours, theirs in zip(sections(ENGLISH), sections(CHINESE), strict=True):
        assert Counter(SPAN.findall(ours)) == Counter(SPAN.findall(theirs))


def test_both_languages_have_the_same_figures():
    assert sum(numbers(ENGLISH.text).values()) > 200
    for ours, theirs in zip(sections(ENGLISH), sections(CHINESE), strict=True):
        assert numbers(ours) == numbers(theirs), theirs.splitlines()[0]


@EACH
def test_every_file_and_module_that_it_names_exists(page):
    paths = [span for span in SPAN.findall(page.prose) if re.fullmatch(r"[\w./-]+\.(sh|md)", span)]
    assert "start.sh" in paths
    assert [path for path in paths if not Path(path).exists()] == []
    for script in re.findall(r"\./(\S+)", page.commands):
        assert Path(script).exists(), script
    modules = re.findall(r"python -m ([\w.]+)", page.commands)
    assert modules
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


@EACH
def test_every_figure_of_ours_names_a_command_that_exists(page):
    targets = set(re.findall(r"`make ([\w-]+)`", page.text))
    assert {"demo", "bench-paged", "bench-weights", "bench-preset", "bench-batching"} <= targets
    makefile = Path("Makefile").read_text(encoding="utf-8")
    for target in targets:
        assert re.search(rf"^{target}: env ", makefile, re.MULTILINE), target


@EACH
def test_every_field_that_it_names_is_one_of_the_resource(page):
    named = fields(page)
    assert len(named) > 15
    missing = {path for path in named if find_field(path) is None}
    assert missing <= AWAITED_FIELDS
    for path in named.keys() - missing:
        allowed = (find_field(path) or {}).get("enum")
        assert allowed is None or named[path] <= set(allowed), path


@EACH
def test_every_command_of_ours_that_it_names_exists(page):
    (commands,) = (
        action.choices
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    named = set(re.findall(r"vibethinker-server (\w[\w-]*)", page.commands))
    assert named
    assert named - set(commands) <= AWAITED_COMMANDS


def test_what_it_calls_defaults_are():
    engine = resolve_engine(Spec())
    said = {path: values for path, values in fields(ENGLISH).items() if path.startswith("engine.")}
    assert said["engine.dtype"] == {engine.dtype.value}
    assert said["engine.blockSize"] == {str(engine.block_size)}
    for name in ("maxModelLen", "maxNumSeqs", "maxNumBatchedTokens"):
        assert said[f"engine.{name}"] == {str((find_field(f"engine.{name}") or {})["default"])}
    defaults = {path: (find_field(path) or {}).get("default") for path in fields(ENGLISH)}
    for path in ("saturation.memoryUsedPercentage", "overload.policy", "tokenLimits.preset"):
        assert str(defaults[path]) in fields(ENGLISH)[path]


@EACH
@pytest.mark.parametrize(
    ("lengths", "cap"), [("Azure 2023", 768), ("ServeGen", 768), ("ServeGen", 3072)]
)
def test_what_it_says_of_paged_is_what_the_command_says(page, lengths, cap):
    measured = measure(read_tables())["traces"][TABLES[lengths]][str(cap)]
    ways = [measured["ways"][way] for way in ("max_model_len", "prompt_and_cap", "paged")]
    more = measured["paged_more_sequences"].values()
    fit, wasted = ([cell.replace(" %", "%") for cell in row] for row in rows_of(page, lengths, cap))
    assert fit == [*(str(way["sequences"]) for way in ways), *(f"+{one:.0%}" for one in more)]
    assert wasted == [f"{way['wasted_share']:.1%}" for way in ways]
    assert f"{100 * measured['refused_share']:.2f}" in numbers(page.text)
    gained = resolve_engine(Spec()).max_num_seqs / ways[0]["sequences"] - 1
    assert f"+{gained:.0%}".replace("%", " %") in page.text


@EACH
def test_what_it_says_of_caps_is_what_the_command_says(page):
    by_cap = measure(read_tables())["traces"]["servegen-deepseek-r1"]
    for caps in ((512, 768, 256), (3072, 3072, 2048)):
        cut = " | ".join(f"{by_cap[str(cap)]['answers_longer_than_cap']:.1%}" for cap in caps)
        assert cut.replace("%", " %") in page.text


@EACH
def test_what_it_says_of_sizes_is_what_the_arithmetic_says(page):
    weights, said = measure_weights(), numbers(page.text)
    for name in ("float16", "w8a8"):
        assert f"{weights[name]['bytes']:,}" in said
        assert f"{weights[name]['t4_kv_tokens']:,}" in said
        assert f"{weights[name]['bytes'] / 1e9:.2f}" in said
    assert f"{weights['gguf_q8_0']['bytes'] / 1e9:.2f}" in said
    model = MODEL_SIZES["WeiboAI/VibeThinker-1.5B"]
    for sequences in (16, 32):
        kv = sequences * 4096 * model.kv_token_bytes()
        taken = model.weights_bytes(WeightFormat.FLOAT) + OVERHEAD_BYTES + kv
        assert f"{taken / 1e9:.2f}" in said


@pytest.mark.parametrize(
    ("section", "figures"),
    [
        pytest.param(3, {"1.21", "11.4", "1.08", "3.1", "7"}, id="batching"),
        pytest.param(6, {"65.6", "50.8", "92.6", "11.3", "15.9"}, id="caps"),
        pytest.param(7, {"12", "212", "500"}, id="preset"),
        pytest.param(9, {"60", "16", "25", "6,144"}, id="protect"),
    ],
)
def test_what_was_measured_elsewhere_stands_there_too(section, figures):
    serving = numbers(Path("docs/serving.md").read_text(encoding="utf-8"))
    assert figures <= set(numbers(sections(ENGLISH)[section]))
    assert figures <= set(serving)
