"""values.schema.json: closed everywhere, so that Helm names a misspelt value's path."""

import json
from typing import Any

from charts.source.chart.values import Values

_DROPPED = ("title", "default")


def build_schema() -> dict[str, Any]:
    """Returns the JSON Schema of the values."""
    schema: dict[str, Any] = _plain(Values.model_json_schema(by_alias=True))
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}


def render_schema() -> str:
    """Returns the text of values.schema.json."""
    return json.dumps(build_schema(), indent=2, ensure_ascii=False) + "\n"


def _plain(schema: Any) -> Any:
    """Returns what JSON Schema knows: rules in CEL are the API server's."""
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: part for key, part in schema.items() if not key.startswith("x-kubernetes-")}
    if "properties" in kept:
        properties = {name: _plain(part) for name, part in kept.pop("properties").items()}
        return {**_plain(kept), "properties": properties}
    return {key: _plain(part) for key, part in kept.items() if key not in _DROPPED}
