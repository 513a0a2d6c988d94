"""The CustomResourceDefinition, computed from the types of `api`.

Pydantic writes JSON Schema; the API server takes a stricter dialect ("structural schema").
`_structural` is the difference: references inlined, no titles, every default fully expanded (rules
are checked on what the default says, so one that reads `self.a.b` fails on a default of `{}` for
`a`), and no null: the API server drops a null that a schema does not allow, so it means "unset" all
the same, while `nullable` would make it keep one, and refuse it where there is an `enum`.
"""

from collections.abc import Mapping
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import Spec, Status, VibeThinkerDeployment

Schema = dict[str, Any]

_DROPPED = ("title", "additionalProperties", "$defs")

PRINTER_COLUMNS = (
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', 0),
    ("Replicas", "integer", ".status.replicas", 0),
    ("Desired", "integer", ".status.desiredReplicas", 0),
    ("Memory%", "integer", ".status.memory.usedPercentage", 0),
    ("Queue", "integer", ".status.requestQueueLength", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Model", "string", ".status.engine.model", 1),
    ("Min", "integer", ".spec.scaling.minReplicas", 1),
    ("Max", "integer", ".spec.scaling.maxReplicas", 1),
    ("URL", "string", ".status.url", 1),
    ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', 1),
)
"""Name, type, path and priority: 0 is always shown, 1 with `-o wide`."""


def build_crd() -> dict[str, Any]:
    """Returns the CustomResourceDefinition as the API server takes it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": names.CRD_NAME},
        "spec": {
            "group": names.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": [names.SHORT_NAME],
                "categories": [names.CATEGORY],
            },
            "versions": [_build_version()],
        },
    }


def _build_version() -> dict[str, Any]:
    return {
        "name": names.VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": build_schema()},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path, "priority": priority}
            for name, kind, path, priority in PRINTER_COLUMNS
        ],
    }


def build_schema() -> Schema:
    """Returns the structural schema of the whole resource."""
    root = VibeThinkerDeployment.model_json_schema()
    return {
        "type": "object",
        "description": root["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of this representation."},
            "kind": {"type": "string", "description": "Kind of this object."},
            # The name only, so that the rule on it has a field to blame; more is not allowed here.
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": _structural_of(Spec.model_json_schema()),
            "status": _structural_of(Status.model_json_schema()),
        },
        "x-kubernetes-validations": root["x-kubernetes-validations"],
    }


def _structural_of(schema: Schema) -> Schema:
    return _structural(schema, schema.get("$defs", {}))


def _structural(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    schema = _inline(schema, definitions)
    kept = {key: value for key, value in schema.items() if key not in _DROPPED}
    if isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = _structural(schema["additionalProperties"], definitions)
    if "items" in schema:
        kept["items"] = _structural(schema["items"], definitions)
    if "properties" in schema:
        kept["properties"] = {
            name: _structural(part, definitions) for name, part in schema["properties"].items()
        }
    if "description" in kept:
        kept["description"] = " ".join(kept["description"].split())
    if "default" in kept:
        kept["default"] = _without_null(kept["default"])
    return kept


def _inline(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """Returns `schema` without references, and without null among its alternatives."""
    if "$ref" in schema:
        target = definitions[schema["$ref"].removeprefix("#/$defs/")]
        return _inline(target | {k: v for k, v in schema.items() if k != "$ref"}, definitions)
    branches = schema.get("anyOf", [])
    if {"type": "null"} not in branches:
        return schema
    (branch,) = (branch for branch in branches if branch != {"type": "null"})
    rest = {k: v for k, v in schema.items() if k != "anyOf" and (k, v) != ("default", None)}
    return _inline(branch | rest, definitions)


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_null(part) for key, part in value.items() if part is not None}
    return [_without_null(part) for part in value] if isinstance(value, list) else value
