"""What a sweep tells a pod: whether relief can come, and the policy where it is new to it."""

from collections.abc import Mapping
from typing import Any, Final

from vibethinker_operator.observed import Observed
from vibethinker_operator.scaling import GrowthVerdict
from vibethinker_operator.windows import Windows

TTL_SECONDS: Final = 10
"""A lease is good for ten sweeps; a pod that hears nothing for so long protects itself."""

MOVE_CONNECTIONS_SECONDS: Final = 60.0
"""Pooled clients keep their old pods: in the minute after the fleet grew, answers close their
connections, so that a new pod gets its share (design, section 7)."""


def build_fleet_message(growth: GrowthVerdict, observed: Observed, now: float) -> dict[str, Any]:
    """Returns the body of a POST to `/-/fleet`, the policy left out.

    Args:
        growth: What the last decision said of growth.
        observed: The fleet.
        now: Unix seconds.
    """
    relief = None if growth.relief_at is None else max(0.0, growth.relief_at - now)
    return {
        "lease": {
            "growth": str(growth.growth),
            "reliefSeconds": relief,
            "moveConnections": has_grown(observed, now),
            "ttlSeconds": TTL_SECONDS,
            # Whom to ask which sessions they let in.
            "peers": sorted(pod.ip for pod in observed.active if pod.ip is not None),
        },
    }


def add_policy(
    message: Mapping[str, Any],
    policy_document: Mapping[str, Any],
    pod_uid: str,
    windows: Windows,
) -> Mapping[str, Any]:
    """Returns the message for one pod: with the policy unless the pod says that it obeys it.

    Prompts make the policy long, so it does not go out every second. A pod that started anew says
    the generation of the file it found, and hears the rest a sweep later.

    Args:
        message: What every pod is told.
        policy_document: The policy of the resource, its generation included.
        pod_uid: The pod.
        windows: What the pods said so far; empty after a restart, so that then all hear it.
    """
    readings = windows.readings.get(pod_uid)
    if readings and readings[-1].sample.policy_generation == policy_document["generation"]:
        return message
    return {**message, "policy": policy_document}


def has_grown(observed: Observed, now: float) -> bool:
    """Returns whether a pod got Ready beside older ones within the last minute."""
    times = [pod.ready_since for pod in observed.serving if pod.ready_since is not None]
    if len(times) < len(observed.serving) or len(times) <= 1:
        return False
    # Pods that came together share their clients already.
    return max(times) > min(times) and abs(now - max(times)) < MOVE_CONNECTIONS_SECONDS
