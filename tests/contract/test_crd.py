"""Promises of the resource's schema that hold for every field of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from vibethinker_operator.crd import build_crd, build_schema

from tests.unit.operating.situations import list_situations

SCHEMA = build_schema()
SPEC, STATUS = SCHEMA["properties"]["spec"], SCHEMA["properties"]["status"]
COMMITTED = Path("manifests/crd/vibethinkerdeployments.yaml")
LABEL_KEY_CHARACTERS = 128


def walk(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from walk(part, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from walk(schema["additionalProperties"], f"{path}{{}}")


IN_SPEC = dict(walk(SPEC, "spec"))
IN_STATUS = dict(walk(STATUS, "status"))
EVERYWHERE = IN_SPEC | IN_STATUS
RULES = [
    (path, rule)
    for path, schema in EVERYWHERE.items()
    for rule in schema.get("x-kubernetes-validations", [])
]


def bounded(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return {"maxLength", "pattern"} <= schema.keys()
    if kind == "string":
        return bool({"maxLength", "enum"} & schema.keys()) or schema.get("format") == "date-time"
    if kind == "integer":
        return {"minimum", "maximum"} <= schema.keys()
    if kind == "array":
        return "maxItems" in schema
    if kind == "object" and "properties" not in schema:
        return "maxProperties" in schema
    return True


def longest(schema: dict[str, Any]) -> int:
    """Returns the most bytes of JSON that a value of the schema can take."""
    if "enum" in schema:
        return max(len(value) for value in schema["enum"]) + 2
    if schema.get("x-kubernetes-int-or-string") or schema["type"] == "string":
        return int(schema["maxLength"]) + 2
    if schema["type"] == "array":
        return 2 + int(schema["maxItems"]) * (longest(schema["items"]) + 1)
    if schema["type"] == "object":
        return 2 + longest_entries(schema)
    return len(str(schema.get("maximum", "false")))


def longest_entries(schema: dict[str, Any]) -> int:
    if "properties" in schema:
        return sum(len(name) + 4 + longest(part) for name, part in schema["properties"].items())
    entry = LABEL_KEY_CHARACTERS + 4 + longest(schema["additionalProperties"])
    return int(schema["maxProperties"]) * entry


def test_the_committed_crd_is_the_one_that_the_types_give():
    assert yaml.safe_load(COMMITTED.read_text()) == build_crd()


@pytest.mark.parametrize("path", [path for path in EVERYWHERE if path[-1] not in "]}"])
def test_it_is_described(path):
    assert EVERYWHERE[path]["description"].strip().endswith((".", "?"))


@pytest.mark.parametrize("path", IN_SPEC)
def test_it_is_bounded(path):
    assert bounded(IN_SPEC[path])


@pytest.mark.parametrize("path", [p for p in IN_STATUS if IN_STATUS[p].get("type") != "integer"])
def test_what_the_operator_writes_is_bounded_too(path):
    assert bounded(IN_STATUS[path])


def test_no_spec_can_be_larger_than_128_kib():
    # Half of what an object's annotations may hold, where `kubectl apply` keeps a copy of it. The
    # prompts of eight profiles are a third; in Chinese, at three bytes a character, all still fits.
    assert longest(SPEC) <= 128 * 1024


def test_there_are_no_fractions_anywhere():
    assert not [path for path, schema in EVERYWHERE.items() if schema.get("type") == "number"]


def test_a_status_has_no_defaults():
    assert not [path for path, schema in IN_STATUS.items() if "default" in schema]


def test_every_field_of_a_spec_has_a_default_or_means_something_unset():
    required = {path for path, schema in IN_SPEC.items() if schema.get("required")}
    assert not {path for path in required if "[]" not in path and "Affinity" not in path}


def test_every_default_is_whole():
    for path, schema in IN_SPEC.items():
        if isinstance(schema.get("default"), dict) and "properties" in schema:
            inner = schema["properties"].items()
            assert schema["default"] == {n: s["default"] for n, s in inner if "default" in s}, path


def test_times_have_seconds_in_their_names():
    periods = ("timeout", "deadline", "period", "delay", "window", "duration", "stabilization")
    names = {path.rsplit(".", 1)[-1] for path in IN_SPEC}
    times = {name for name in names if any(word in name.lower() for word in periods)}
    assert times
    assert all(name.endswith("Seconds") for name in times)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (path, rule)
        for path, s in EVERYWHERE.items()
        for rule in s.get("x-kubernetes-validations", [])
    ],
)
def test_a_rule_blames_a_field_and_its_message_names_it(path, rule):
    blamed = rule["fieldPath"].removeprefix(".")
    assert f"{path}.{blamed}" in EVERYWHERE
    assert rule["message"].startswith((blamed, "maxSurge and maxUnavailable", "repository"))


def test_no_keyword_is_left_that_a_structural_schema_forbids():
    forbidden = {"$ref", "$defs", "title", "const", "oneOf", "examples", "nullable"}
    assert not [path for path, schema in EVERYWHERE.items() if forbidden & schema.keys()]
    exclusive = {"exclusiveMinimum", "exclusiveMaximum"}
    assert not [path for path, schema in EVERYWHERE.items() if exclusive & schema.keys()]


def test_the_columns_point_at_fields_that_exist():
    for column in build_crd()["spec"]["versions"][0]["additionalPrinterColumns"]:
        path = column["jsonPath"].removeprefix(".").split("[", 1)[0]
        assert path in EVERYWHERE or path == "metadata.creationTimestamp", column


def test_the_scale_subresource_points_at_fields_that_exist():
    scale = build_crd()["spec"]["versions"][0]["subresources"]["scale"]
    assert {path.removeprefix(".") for path in scale.values()} <= EVERYWHERE.keys()
    assert IN_SPEC["spec.replicas"]["default"] == 1


@pytest.mark.parametrize("name", list_situations())
def test_every_status_that_the_operator_writes_is_within_the_schema(name: str):
    resource = list_situations()[name]
    assert not [*unknown_or_out_of_bounds(resource.get("status", {}), STATUS, "status")]


def test_a_fit_is_within_the_schema_and_a_wrong_one_is_not():
    written = {"source": "Spec", "weights": "2.88 GiB", "tokens": 318_336, "sequences": 77}
    assert not [*unknown_or_out_of_bounds({"fit": written}, STATUS, "status")]
    for wrong in ({"source": "Guess"}, {"tokens": -1}, {"weights": "9" * 33}, {"bytes": 1}):
        assert [*unknown_or_out_of_bounds({"fit": written | wrong}, STATUS, "status")], wrong


def unknown_or_out_of_bounds(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    """Yields the paths that the API server would prune or refuse."""
    if isinstance(value, dict) and "properties" in schema:
        for name, part in value.items():
            if name not in schema["properties"]:
                yield f"{path}.{name}"
                continue
            yield from unknown_or_out_of_bounds(part, schema["properties"][name], f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from unknown_or_out_of_bounds(part, schema["items"], f"{path}[]")
    elif isinstance(value, int):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield path
    elif len(value) > schema.get("maxLength", len(value)) or value not in schema.get(
        "enum", [value]
    ):
        yield path
