"""docs/reference/crd.md: every field of the resource, from the schema that the CRD holds."""

from collections.abc import Iterator
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.crd import PRINTER_COLUMNS, build_schema

from charts.source.reference.markdown import code, render_page, render_table
from charts.source.reference.schema import (
    CelRule,
    Field,
    describe_default,
    describe_value,
    list_fields,
    list_rules,
)

HEAD = ("field", "value", "default", "meaning")
INTRODUCTION = f"""`{names.KIND}` (`{names.API_VERSION}`), short name `{names.SHORT_NAME}`,
category `{names.CATEGORY}`. Every field of `spec` has a default: `spec: {{}}` is one replica on one
GPU. Where the default is empty, the field may be unset, or is a block whose fields have defaults.
A field that is not here is refused by name. `kubectl explain {names.SHORT_NAME}.spec` says the
same."""
RULES = """Checked by the API server at every write, beside the bounds above; no webhook takes part.
The message of a refusal names the field."""
STATUS = """Written by the operator alone. Nothing in it has a default: what is not known is not
there."""
SCALE = f"""`kubectl scale`, a HorizontalPodAutoscaler and KEDA read and write the fleet's size
through `/scale`: `spec.replicas`, `status.replicas` and `status.selector`. In mode Auto
`spec.replicas` is not read, and writing it is answered with the Event `ReplicasIgnored`. Columns of
`kubectl get {names.SHORT_NAME}`, those in brackets with `-o wide`:"""


def render_crd_page() -> str:
    """Returns the page."""
    schema = build_schema()
    spec, status = (schema["properties"][part] for part in ("spec", "status"))
    return render_page(
        names.KIND,
        INTRODUCTION,
        *_render_blocks(spec),
        "## Rules across fields",
        RULES,
        _render_rules([*_name_rules(schema), *list_rules(spec, "spec")]),
        "## status",
        STATUS,
        _render_fields(list_fields(status, "status")),
        "## Scale, and what kubectl shows",
        SCALE,
        _render_columns(),
    )


def _render_blocks(spec: dict[str, Any]) -> Iterator[str]:
    for name, block in spec["properties"].items():
        path = f"spec.{name}"
        yield f"## {path}"
        fields = [*list_fields(block, path), *list_fields(block.get("items", {}), f"{path}[]")]
        yield block["description"]
        if "properties" not in block:
            yield f"Value: {describe_value(block)}. Default: {describe_default(block)}."
        if fields:
            yield _render_fields(fields)


def _render_fields(fields: Iterator[Field] | list[Field]) -> str:
    return render_table(HEAD, ((code(f.path), f.value, f.default, f.meaning) for f in fields))


def _name_rules(schema: dict[str, Any]) -> Iterator[CelRule]:
    for rule in schema["x-kubernetes-validations"]:
        yield CelRule(rule["fieldPath"].removeprefix("."), rule["message"], rule["rule"])


def _render_rules(rules: list[CelRule]) -> str:
    rows = ((code(rule.path), rule.message, code(rule.expression)) for rule in rules)
    return render_table(("field", "message", "true where all is well"), rows)


def _render_columns() -> str:
    rows = ((f"({n})" if priority else n, code(path)) for n, _, path, priority in PRINTER_COLUMNS)
    return render_table(("column", "from"), rows)
