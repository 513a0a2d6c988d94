"""What every child object carries: its name, its labels, and whose it is."""

from collections.abc import Mapping
from typing import Any

from vibethinker_operator import names
from vibethinker_operator.api import Metadata


def build_metadata(
    owner: Metadata,
    name: str,
    annotations: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Returns the metadata of the child `name`; the garbage collector removes it with its owner.

    `blockOwnerDeletion` stays out: it would need a right on the owner's finalizers, and nothing
    here has to be gone before the owner is.
    """
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": owner.namespace,
        "labels": dict(labels or names.child_labels(owner.name)),
        "ownerReferences": [
            {
                "apiVersion": names.API_VERSION,
                "kind": names.KIND,
                "name": owner.name,
                "uid": owner.uid,
                "controller": True,
            }
        ],
    }
    return metadata | ({"annotations": dict(annotations)} if annotations else {})
