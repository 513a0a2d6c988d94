"""The committed pages of reference are the generated ones, and leave nothing out."""

from pathlib import Path

import pytest
from vibethinker_doctor import gone
from vibethinker_doctor.meanings import MEANINGS
from vibethinker_operator.condition_meanings import CONDITIONS
from vibethinker_operator.crd import build_crd, build_schema
from vibethinker_operator.decision_meanings import REASONS, RULES
from vibethinker_operator.events import News
from vibethinker_operator.notices import WELCOME
from vibethinker_operator.settings import Settings
from vibethinker_server import names as server_names

from charts.source.reference import metrics
from charts.source.reference.files import render_files
from charts.source.reference.known_runtime import build_known_registry
from charts.source.reference.label_values import list_label_values
from charts.source.reference.metrics_text import LABELS, UNITS_BY_NAME
from charts.source.reference.schema import list_fields, list_rules

PAGES = render_files()
REFERENCE = "docs/reference"
SCHEMA = build_schema()["properties"]
FIELDS = [field for part in ("spec", "status") for field in list_fields(SCHEMA[part], part)]
COUNTED = {"counter": "_total"}


def page(name: str) -> str:
    return PAGES[f"{REFERENCE}/{name}.md"]


@pytest.mark.parametrize("path", PAGES)
def test_the_committed_page_is_the_generated_one(path):
    assert Path(path).read_text(encoding="utf-8") == PAGES[path]


@pytest.mark.parametrize("path", PAGES)
def test_no_row_lacks_its_last_cell(path):
    assert not [line for line in PAGES[path].splitlines() if line.endswith("|  |")]


def test_every_field_is_described_with_its_path_and_its_bounds():
    fields, _, rest = page("crd").partition("## Rules across fields")
    lines = (fields + rest.partition("## status")[2]).splitlines()
    rows = {line.split("`")[1]: line for line in lines if line.startswith("| `")}
    headings = {line[3:] for line in page("crd").splitlines() if line.startswith("## spec.")}
    assert len(FIELDS) > 150
    for field in FIELDS:
        assert field.meaning, field.path
        if field.path in headings:
            continue
        assert field.meaning.replace("|", "\\|") in rows[field.path]
        assert field.value.replace("|", "\\|") in rows[field.path]


def test_every_block_of_a_spec_has_a_heading():
    headings = {line[3:] for line in page("crd").splitlines() if line.startswith("## spec.")}
    assert headings == {f"spec.{name}" for name in SCHEMA["spec"]["properties"]}


def test_every_rule_across_fields_is_there_with_its_expression():
    rules = list(list_rules(SCHEMA["spec"], "spec"))
    assert len(rules) > 25
    for rule in rules:
        assert rule.message.replace("|", "\\|") in page("crd")
        assert rule.expression.replace("|", "\\|") in page("crd")


def test_every_column_of_kubectl_get_is_there():
    for column in build_crd()["spec"]["versions"][0]["additionalPrinterColumns"]:
        assert f"`{column['jsonPath']}`" in page("crd").replace("\\|", "|")


def test_every_metric_that_a_server_names_is_collected():
    named = {value for name, value in vars(server_names).items() if name.startswith("METRIC_")}
    collected = {facts.name.removesuffix("_total") for facts in metrics.collect_server_metrics()}
    assert collected == named


def test_every_metric_has_a_meaning_a_unit_and_labels_that_are_explained():
    for facts in (*metrics.collect_server_metrics(), *metrics.collect_operator_metrics()):
        assert facts.meaning.endswith("."), facts.name
        assert facts.unit
        assert facts.name.endswith("_total") == (facts.type == "counter")
        assert set(facts.labels) <= set(LABELS)


def test_no_label_and_no_unit_is_explained_that_no_metric_has():
    every = (*metrics.collect_server_metrics(), *metrics.collect_operator_metrics())
    assert set(LABELS) == {label for facts in every for label in facts.labels}
    assert set(UNITS_BY_NAME) <= {facts.name for facts in every}


def test_a_metric_by_label_says_so_though_nothing_was_counted_yet():
    labels = {facts.name: facts.labels for facts in metrics.collect_operator_metrics()}
    assert labels["vibethinker_operator_failed_writes_total"] == ("kind",)
    assert labels["vibethinker_fleet_replicas"] == ("namespace", "name", "state")


def test_every_value_of_a_label_that_a_server_shows_is_listed():
    listed = list_label_values()
    for family in build_known_registry().collect():
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert value in listed.get((sample.name, label), (value,))
    for (metric, label), values in listed.items():
        assert values, (metric, label)
        assert all(f"`{value}`" in page("metrics") for value in values)


def test_every_variable_of_the_operator_is_there():
    for field in Settings.model_fields.values():
        assert f"| `{field.alias}` |" in page("operator-settings")


def test_every_event_is_there_with_its_type():
    for news in News:
        assert f"| `{news.reason}` | {news.type} |" in page("events")


def test_every_finding_and_what_became_of_old_flags_is_there():
    for word in (*MEANINGS, *gone.FLAGS, *gone.VARIABLES):
        assert f"| `{word}` |" in page("findings")


def test_every_condition_that_is_told_can_be_looked_up():
    for type_ in WELCOME:
        assert f"| `{type_}` |" in page("events")


def test_every_condition_and_every_word_of_a_decision_is_there():
    for type_, meaning in CONDITIONS.items():
        assert f"\n## {type_}\n" in page("conditions")
        for answer in meaning.answers:
            assert f"| {answer.status.value} | `{answer.reason}` | {answer.text} |" in (
                page("conditions")
            )
    for word in (*RULES, *REASONS):
        assert f"| `{word}` |" in page("conditions")
