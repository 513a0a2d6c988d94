"""Kubernetes Events as plain bodies. Pure; posted on transitions only."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from vibethinker_operator import names

MESSAGE_LIMIT = 1024
"""Bytes the API server takes in an Event's note; a longer one is refused whole."""


@dataclass(frozen=True)
class Notice:
    """Something a person watching the fleet wants to be told once."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def build_event(resource: Mapping[str, Any], notice: Notice, now: float) -> dict[str, Any]:
    """Returns the core/v1 Event about `resource`, as `kubectl describe` shows it."""
    metadata = resource["metadata"]
    time = datetime.fromtimestamp(now, UTC)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    # Two pods may bring the same news in one tick: the message tells them apart.
    told = hashlib.sha256(notice.message.encode()).hexdigest()[:8]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata['name']}.{int(now * 1_000_000):x}.{notice.reason.lower()}.{told}",
            "namespace": metadata["namespace"],
        },
        "involvedObject": {
            "apiVersion": resource["apiVersion"],
            "kind": resource["kind"],
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": notice.type,
        "reason": notice.reason,
        "message": notice.message.encode()[:MESSAGE_LIMIT].decode(errors="ignore"),
        "source": {"component": names.OPERATOR_NAME},
        "reportingComponent": names.OPERATOR_NAME,
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
