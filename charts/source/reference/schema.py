"""Fields of a structural schema in words: path, value, default, meaning. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from charts.source.reference.markdown import code

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One field as a page shows it."""

    path: str
    value: str
    default: str
    meaning: str


@dataclass(frozen=True)
class CelRule:
    """One rule across fields, and the field that it blames."""

    path: str
    message: str
    expression: str


def list_fields(schema: Schema, path: str) -> Iterator[Field]:
    """Yields every field below `path`, those of a block after it."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        below = f"{path}.{name}"
        default = "required" if name in required else describe_default(field)
        yield Field(below, describe_value(field), default, str(field.get("description", "")))
        yield from list_fields(field, below)
        yield from list_fields(field.get("items", {}), f"{below}[]")


def list_rules(schema: Schema, path: str) -> Iterator[CelRule]:
    """Yields every rule at and below `path`."""
    for rule in schema.get("x-kubernetes-validations", ()):
        yield CelRule(f"{path}{rule['fieldPath']}", rule["message"], rule["rule"])
    for name, field in schema.get("properties", {}).items():
        yield from list_rules(field, f"{path}.{name}")
        yield from list_rules(field.get("items", {}), f"{path}.{name}[]")


def describe_default(field: Schema) -> str:
    """Returns the default in words; a block's is that of its fields."""
    value = field.get("default")
    if isinstance(value, dict) or value is None:
        return ""
    return code(json.dumps(value) if isinstance(value, list) or value == "" else value)


def describe_value(field: Schema) -> str:
    """Returns the type and the bounds in words."""
    if field.get("x-kubernetes-int-or-string"):
        return f"amount: integer or string, {_pattern(field)}"
    if "enum" in field:
        return "one of " + ", ".join(code(value) for value in field["enum"])
    described = _TYPES.get(field["type"])
    return described(field) if described else str(field["type"])


def _integer(field: Schema) -> str:
    return f"integer{_range(field)}"


def _list(field: Schema) -> str:
    return f"list of {describe_value(field['items'])}{_length(field)}"


def _object(field: Schema) -> str:
    if "additionalProperties" not in field:
        return "object"
    inner = describe_value(field["additionalProperties"])
    return f"map of {inner}, up to {field['maxProperties']} entries"


def _text(field: Schema) -> str:
    if field.get("format") == "date-time":
        return "time in UTC"
    least = field.get("minLength", 0)
    length = f"{least} to {field['maxLength']}" if least else f"up to {field['maxLength']}"
    shape = f", {_pattern(field)}" if "pattern" in field else ""
    return f"string, {length} characters{shape}"


def _range(field: Schema) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is None:
        return ""
    bounds = f", {low:,} or more" if high is None else f", {low:,} to {high:,}"
    multiple = field.get("multipleOf")
    return f"{bounds}, in steps of {multiple}" if multiple else bounds


def _length(field: Schema) -> str:
    least, most = field.get("minItems", 0), field["maxItems"]
    return f", {least} to {most}" if least else f", up to {most}"


def _pattern(field: Schema) -> str:
    return code(field["pattern"])


_TYPES = {"integer": _integer, "string": _text, "array": _list, "object": _object}
