"""What was read of one fleet, as plain Kubernetes objects and texts, and what could not be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PodReading:
    """One server pod.

    Attributes:
        body: the pod.
        page: what its ops port shows; None: not to be had.
        log: the end of its last container's log, where that is of interest.
    """

    body: Body
    page: str | None = None
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """One fleet.

    Attributes:
        resource: the VibeThinkerDeployment.
        deployment: its Deployment; None where there is none, or it may not be read.
        pods: its pods.
        warnings: what Kubernetes warned of about those pods: reason and message of its Events.
        notes: what could not be read, and why.
    """

    resource: Body
    deployment: Body | None = None
    pods: tuple[PodReading, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
