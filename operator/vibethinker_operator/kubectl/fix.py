"""The resource with the changes that findings name; nothing is written anywhere. Pure."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import yaml
from vibethinker_doctor.finding import Finding

OF_THE_SERVER = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
"""What the API server writes into metadata: no part of what a person applies."""
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def patch_resource(resource: Mapping[str, Any], findings: Iterable[Finding]) -> dict[str, Any]:
    """Returns the resource as a person would apply it, each named field set to its new value.

    The first finding that names a field wins; one without a value changes nothing.
    """
    metadata = {k: v for k, v in resource["metadata"].items() if k not in OF_THE_SERVER}
    annotations = {k: v for k, v in metadata.pop("annotations", {}).items() if k != LAST_APPLIED}
    if annotations:
        metadata["annotations"] = annotations
    spec: dict[str, Any] = deepcopy(dict(resource.get("spec") or {}))
    done: set[str] = set()
    for finding in findings:
        if finding.field is not None and finding.value is not None and finding.field not in done:
            done.add(finding.field)
            _set(spec, finding.field.split("."), finding.value)
    kept = {key: resource[key] for key in ("apiVersion", "kind")}
    return kept | {"metadata": metadata, "spec": spec}


def render_yaml(resource: Mapping[str, Any]) -> str:
    """Returns the resource as YAML that `kubectl apply -f -` takes."""
    return str(yaml.safe_dump(dict(resource), sort_keys=False, allow_unicode=True))


def _set(place: dict[str, Any], path: list[str], value: object) -> None:
    *parents, last = path
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
