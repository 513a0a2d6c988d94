"""A VibeThinkerDeployment out of a file, for commands that need no cluster. I/O; writes nothing."""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from vibethinker_operator import names
from vibethinker_operator.api import VibeThinkerDeployment, parse_deployment
from vibethinker_operator.errors import InvalidSpecError
from vibethinker_operator.kubectl.gathered import Body

MOST_BYTES = 2**20
"""Of a file: etcd keeps no larger object."""


class ResourceFileError(Exception):
    """The file holds no resource that can be looked at; the text says why."""


def read_resource(path: Path) -> Body:
    """Returns the one VibeThinkerDeployment in a file of YAML or JSON.

    Raises:
        ResourceFileError: it is not there, no YAML, or holds something else.
    """
    documents = _load(path)
    if len(documents) != 1:
        raise ResourceFileError(
            f"{path}: {len(documents)} documents in it; give a file with one {names.KIND}"
        )
    body = documents[0]
    kind = body.get("kind") if isinstance(body, Mapping) else None
    version = body.get("apiVersion") if isinstance(body, Mapping) else None
    if (version, kind) != (names.API_VERSION, names.KIND):
        raise ResourceFileError(
            f"{path}: apiVersion {version}, kind {kind} in it; wanted are {names.API_VERSION} and"
            f" {names.KIND}"
        )
    return dict(body)


def set_fields(body: Body, changes: Mapping[str, Any]) -> Body:
    """Returns a copy of the resource with fields of its spec set, by their dotted paths.

    Raises:
        ResourceFileError: a path leads through something that has no fields.
    """
    changed = deepcopy(dict(body))
    spec = changed["spec"] = changed.get("spec") or {}
    for path, value in changes.items():
        *parents, last = path.removeprefix("spec.").split(".")
        place = spec
        for parent in parents:
            place = place.setdefault(parent, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise ResourceFileError(f"spec.{path.removeprefix('spec.')}: no such field can be set")
        place[last] = value
    return changed


def parse_resource(body: Body) -> VibeThinkerDeployment:
    """Returns the resource as if a cluster had taken it.

    Raises:
        InvalidSpecError: the operator would not obey it, or the API server not take it.
    """
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    made_up = {"name": str(name or "unnamed"), "namespace": "default", "uid": "0", "generation": 1}
    resource = parse_deployment({"metadata": made_up, "spec": body.get("spec")})
    _check_rules(resource)
    return resource


def _check_rules(resource: VibeThinkerDeployment) -> None:
    # The API server's rules across fields hold no further than it; this one decides a simulation.
    scaling = resource.spec.scaling
    if scaling.min_replicas > scaling.max_replicas:
        raise InvalidSpecError(
            "spec.scaling.minReplicas: minReplicas must be <= maxReplicas"
            f" ({scaling.min_replicas} and {scaling.max_replicas})"
        )


def _load(path: Path) -> list[Any]:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ResourceFileError(f"{path}: more than 1 MiB, which no resource has")
        return [one for one in yaml.safe_load_all(content.decode()) if one is not None]
    except OSError as error:
        raise ResourceFileError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ResourceFileError(f"{path} is no YAML: {error}") from error
