"""How far the HPA may go at once: the rules of `spec.behavior`.

Kubernetes v1.37.2, pkg/controller/podautoscaler/horizontal.go; defaults of
pkg/apis/autoscaling/v2/defaults.go.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a policy's value counts."""

    PODS = "Pods"
    PERCENT = "Percent"


class Select(Enum):
    """Which of several policies holds: the one for the largest change, the smallest, or none."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `value` pods, or percent of the replicas, may change in `period_seconds`."""

    kind: Kind
    value: int
    period_seconds: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one direction.

    Attributes:
        policies: Limits on the change.
        window_seconds: The most cautious proposal of this long counts.
        select: Which policy holds.
        tolerance: Share of the target; None for the controller's.
    """

    policies: tuple[Policy, ...]
    window_seconds: int
    select: Select = Select.MAX
    tolerance: float | None = None


UP = Rules((Policy(Kind.PODS, 4, 15), Policy(Kind.PERCENT, 100, 15)), 0)
DOWN = Rules((Policy(Kind.PERCENT, 100, 15),), 300)


@dataclass(frozen=True, slots=True)
class Behavior:
    """`spec.behavior`; what is not given is the API's default."""

    up: Rules = UP
    down: Rules = DOWN


def limit_up(current: int, rules: Rules, before: Callable[[int], int]) -> int:
    """Returns the most replicas allowed now.

    Args:
        current: Replicas now.
        rules: Of the way up.
        before: Returns the replicas of as many seconds ago.
    """
    if rules.select is Select.DISABLED:
        return current
    limits = [_raise(before(policy.period_seconds), policy) for policy in rules.policies]
    return max(current, min(limits) if rules.select is Select.MIN else max(limits))


def limit_down(current: int, rules: Rules, before: Callable[[int], int]) -> int:
    """Returns the fewest replicas allowed now; arguments as in `limit_up`."""
    if rules.select is Select.DISABLED:
        return current
    limits = [_lower(before(policy.period_seconds), policy) for policy in rules.policies]
    return min(current, max(limits) if rules.select is Select.MIN else min(limits))


def _raise(replicas: int, policy: Policy) -> int:
    if policy.kind is Kind.PODS:
        return replicas + policy.value
    return math.ceil(replicas * (1 + policy.value / 100))


def _lower(replicas: int, policy: Policy) -> int:
    if policy.kind is Kind.PODS:
        return replicas - policy.value
    return int(replicas * (1 - policy.value / 100))
