"""Kubernetes Events as plain bodies. Pure; posted on transitions only."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal

from vibethinker_operator import names

MESSAGE_LIMIT = 1024
"""Bytes the API server takes in an Event's note; a longer one is refused whole."""


NoticeType = Literal["Normal", "Warning"]


class News(Enum):
    """What a fleet does that is told, beside its conditions: each word, its type, and when."""

    SCALED_OUT = "ScaledOut", "Normal", "The fleet was asked to grow."
    SCALED_IN = "ScaledIn", "Normal", "The fleet was asked to shrink."
    DRAIN_STARTED = (
        "DrainStarted",
        "Normal",
        "A pod takes nothing new, ends what it runs, and then goes.",
    )
    DRAIN_UNDONE = "DrainUndone", "Normal", "Load came back before a draining pod went."
    ENGINE_DIED = (
        "EngineDied",
        "Warning",
        "A container of a server pod ended by itself; with the cause, and what to change.",
    )
    UNEXPECTED_VICTIM = (
        "UnexpectedVictim",
        "Warning",
        "A shrink took another pod than the drained one: what it ran may have been cut.",
    )
    REJECTING_REQUESTS = (
        "RejectingRequests",
        "Warning",
        "Pods began to refuse requests for load; said once for a spell of refusals.",
    )
    ACCEPTING_REQUESTS = (
        "AcceptingRequests",
        "Normal",
        "No request has been refused for load for a minute.",
    )
    PREPARATION_STARTED = (
        "PreparationStarted",
        "Normal",
        "A Job began to write the weights that the pods will read.",
    )
    MODEL_PREPARED = "ModelPrepared", "Normal", "The weights are written; the pods may read them."
    PREPARATION_FAILED = (
        "PreparationFailed",
        "Warning",
        "The Job that writes the weights failed; running pods stay as they are.",
    )
    REPLICAS_IGNORED = (
        "ReplicasIgnored",
        "Warning",
        "`spec.replicas` was changed while `scaling.mode` is Auto, which does not read it.",
    )

    def __init__(self, reason: str, type_: NoticeType, when: str) -> None:
        self.reason = reason
        self.type = type_
        self.when = when


@dataclass(frozen=True)
class Notice:
    """Something a person watching the fleet wants to be told once."""

    type: NoticeType
    reason: str
    message: str

    @classmethod
    def of(cls, news: News, message: str) -> "Notice":
        """Returns the notice of `news`."""
        return cls(news.type, news.reason, message)


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
