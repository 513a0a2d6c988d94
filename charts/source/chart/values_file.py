"""values.yaml: each value with its default, under its comment."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from charts.source.chart.base import ValuesModel
from charts.source.chart.values import Values

WIDTH = 100
HEADER = "# Written by `make generate` from charts/source/chart/values.py: change it there.\n"


def render_values_file() -> str:
    """Returns the text of values.yaml."""
    return HEADER + "".join(_lines(Values(), ""))


def render_default(value: Any) -> Any:
    """Returns a default as YAML and JSON hold it; of a Kubernetes type only what is set."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    return to_jsonable_python(value)


def _lines(block: ValuesModel, indent: str) -> Iterator[str]:
    for name, field in type(block).model_fields.items():
        value = getattr(block, name)
        if not indent:
            yield "\n"
        yield from _comment(str(field.description), indent)
        if isinstance(value, ValuesModel):
            yield f"{indent}{field.alias}:\n"
            yield from _lines(value, indent + "  ")
        else:
            yield textwrap.indent(_dump({str(field.alias): render_default(value)}), indent)


def _comment(text: str, indent: str) -> Iterator[str]:
    prefix = f"{indent}# "
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - len(prefix), break_on_hyphens=False)
    return (f"{prefix}{line}\n" for line in lines)


def _dump(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False, width=WIDTH, allow_unicode=True)
