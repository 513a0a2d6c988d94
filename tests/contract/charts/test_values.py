"""The chart's values: generated, closed, described, and what its tests install with."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from charts.source.chart.facts import define
from charts.source.chart.files import CHART, render_files
from charts.source.chart.schema import build_schema
from charts.source.chart.values import Values
from charts.source.chart.values_table import list_values

FILES = render_files()
VALUES = yaml.safe_load(FILES[f"{CHART}/values.yaml"])
INSTALLS = sorted(Path(CHART, "ci").glob("*-values.yaml"))
OPEN = {
    "annotations",
    "additionalLabels",
    "extraObjects[]",
    "extraVolumes[]",
    "global",
    "labels",
    "matchLabels",
    "nodeSelector",
    "podAnnotations",
    "podLabels",
}
"""Maps whose keys are the user's or Kubernetes' own."""


def test_the_committed_files_are_the_generated_ones():
    assert {path: Path(path).read_text(encoding="utf-8") for path in FILES} == FILES


def test_values_yaml_says_what_the_types_say_and_no_more():
    assert Values.model_validate(VALUES) == Values()


def test_every_value_is_described():
    assert not [path for path, _, text in list_values() if text in ("", "None")]


def objects_of(schema: Any, name: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Returns every object of a schema with the name of the value that it is for."""
    if isinstance(schema, list):
        return [found for part in schema for found in objects_of(part, name)]
    if not isinstance(schema, dict):
        return []
    own = [(name, schema)] if schema.get("type") == "object" else []
    named = {**schema.get("properties", {}), **schema.get("$defs", {})}
    rest = [value for key, value in schema.items() if key not in ("properties", "$defs", "items")]
    return [
        *own,
        *(found for key, part in named.items() for found in objects_of(part, key)),
        *objects_of(schema.get("items"), f"{name}[]"),
        *objects_of(rest, name),
    ]


def test_every_object_of_the_schema_is_closed_but_for_maps_of_the_users():
    open_ones = {n for n, part in objects_of(build_schema()) if part["additionalProperties"]}
    assert open_ones == OPEN


def test_the_schema_has_nothing_that_only_the_api_server_reads():
    assert "x-kubernetes" not in json.dumps(build_schema())


@pytest.mark.parametrize("path", INSTALLS, ids=lambda path: path.stem)
def test_values_that_the_chart_is_tested_with_are_ones_it_takes(path):
    Values.model_validate(yaml.safe_load(path.read_text()))


def test_at_least_four_installs_are_tested_and_together_they_set_every_block():
    assert len(INSTALLS) >= 4
    touched = {key for path in INSTALLS for key in yaml.safe_load(path.read_text())}
    # A fleet-wide default that a test's cluster cannot leave, and what only a parent chart sets.
    assert set(VALUES) - touched == {"crds", "global", "enabled"}


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"imag": {}}, ("imag",)),
        ({"image": {"tagg": "x"}}, ("image", "tagg")),
        ({"image": {"digest": "sha256:abc"}}, ("image", "digest")),
        ({"scope": "Cluster"}, ("scope",)),
        ({"watchNamespaces": ["A_B"]}, ("watchNamespaces", 0)),
        ({"sample": {"spec": {"scaling": {"maxReplica": 2}}}}, ("sample", "spec", "scaling")),
    ],
)
def test_a_wrong_value_is_refused_where_it_is(values, where):
    with pytest.raises(ValidationError) as caught:
        Values.model_validate(values)
    (fault,) = caught.value.errors()
    assert fault["loc"][: len(where)] == where


def test_a_fact_that_helm_would_run_is_refused():
    with pytest.raises(ValueError, match="which Helm would run"):
        define("rule", {"expression": "{{ oops }}"})
