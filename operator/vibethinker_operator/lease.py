"""What every sweep tells the pods: the policy to obey, and whether relief can come."""

from collections.abc import Mapping
from typing import Any, Final

from vibethinker_operator.observed import Observed
from vibethinker_operator.scaling import GrowthVerdict

TTL_SECONDS: Final = 10
"""A lease is good for ten sweeps; a pod that hears nothing for so long protects itself."""

MOVE_CONNECTIONS_SECONDS: Final = 60.0
"""Pooled clients keep their old pods: in the minute after the fleet grew, answers close their
connections, so that a new pod gets its share (design, section 7)."""


def build_fleet_message(
    policy_document: Mapping[str, Any], growth: GrowthVerdict, observed: Observed, now: float
) -> dict[str, Any]:
    """Returns the body of a POST to `/-/fleet`.

    Args:
        policy_document: The policy of the resource, its generation included.
        growth: What the last decision said of growth.
        observed: The fleet.
        now: Unix seconds.
    """
    relief = None if growth.relief_at is None else max(0.0, growth.relief_at - now)
    return {
        "policy": dict(policy_document),
        "lease": {
            "growth": str(growth.growth),
            "reliefSeconds": relief,
            "moveConnections": has_grown(observed, now),
            "ttlSeconds": TTL_SECONDS,
        },
    }


def has_grown(observed: Observed, now: float) -> bool:
    """Returns whether a pod got Ready beside older ones within the last minute."""
    times = [pod.ready_since for pod in observed.serving if pod.ready_since is not None]
    if len(times) < len(observed.serving) or len(times) <= 1:
        return False
    # Pods that came together share their clients already.
    return max(times) > min(times) and abs(now - max(times)) < MOVE_CONNECTIONS_SECONDS
