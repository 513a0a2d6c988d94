"""The table of values, for the chart's README and docs/reference/values.md."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from charts.source.chart.base import ValuesModel
from charts.source.chart.values import Values
from charts.source.chart.values_file import render_default
from charts.source.reference.markdown import code, render_table

PAGE_HEAD = """# Values of the chart

Every value of `charts/vibethinker-operator`. A misspelt or ill-typed one is refused with its path,
before anything is written. This page is generated from the code: `make generate`.

"""


def render_values_page() -> str:
    """Returns docs/reference/values.md."""
    return PAGE_HEAD + render_values_table()


def render_values_table() -> str:
    """Returns the table in Markdown: path, default, meaning."""
    rows = ((code(path), code(default), text) for path, default, text in list_values())
    return render_table(("value", "default", "meaning"), rows) + "\n"


def list_values() -> Iterator[tuple[str, str, str]]:
    """Yields path, default and text of every value."""
    return _list(Values(), "")


def _list(block: BaseModel, prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in type(block).model_fields.items():
        value, path = getattr(block, name), f"{prefix}{field.alias}"
        if isinstance(value, ValuesModel):
            yield from _list(value, f"{path}.")
        else:
            yield path, _spell(render_default(value)), " ".join(str(field.description).split())


def _spell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
