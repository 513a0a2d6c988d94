"""How a fleet shrinks without cutting anything it has admitted.

    mark ─ readiness false, 10 s for endpoints to change ─ in flight 0 or deadline ─ shrink by one
      └──────────────────────── load returned: undo ────────────────────────┘

Where the fleet stands is read from the pods' own annotations, so a restart carries on. What
serves nobody goes first and at once: the ReplicaSet controller takes those first whatever the
deletion cost says, so a drained pod would not be the one that goes.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.observed import Observed, ObservedPod
from vibethinker_operator.samples import Sample

SETTLE_SECONDS: Final = 10.0
"""For so long after the mark a pod still answers everything, while endpoints and proxies change
(design, section 8). Only then does "nothing in flight" mean that nothing will come."""

VICTIM_DELETION_COST: Final = -1000
"""Below every other pod's: the default is 0."""


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing to do."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the marks off these pods: they are wanted again."""

    pods: tuple[ObservedPod, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Begin to drain this pod: annotation and deletion cost, then its `/-/drain`."""

    pod: ObservedPod


@dataclass(frozen=True, slots=True)
class Wait:
    """The pod is being drained; `message` says what is waited for."""

    pod: ObservedPod
    message: str


@dataclass(frozen=True, slots=True)
class Shrink:
    """Ask for fewer replicas.

    Attributes:
        to: Replicas to ask for.
        victims: The pods that should go. Each needs the deletion cost of a victim before the
            write, or a pod that got Ready meanwhile would stand equal to all others.
        message: Why, in a sentence.
    """

    to: int
    victims: tuple[ObservedPod, ...]
    message: str


DrainStep = Idle | Undo | Mark | Wait | Shrink


def next_drain_step(
    observed: Observed,
    samples: Mapping[str, Sample],
    desired: int,
    *,
    deadline_seconds: float,
    now: float,
) -> DrainStep:
    """Returns the next step from the replicas there are to the fewer that are desired.

    Args:
        observed: The fleet.
        samples: Readings that can be believed, by pod uid (`Signals.samples`).
        desired: Replicas wanted.
        deadline_seconds: How long a drained pod may take to finish what it runs.
        now: Unix seconds.
    """
    excess = max(0, observed.spec_replicas - desired)
    if len(observed.draining) > excess:
        return Undo(observed.draining[excess:])
    if not excess:
        return Idle()
    free = _find_free(observed, samples)
    missing = max(0, observed.spec_replicas - len(observed.active))
    if free or missing:
        return _shrink_free(observed, free, missing, excess)
    if observed.draining:
        return _follow(observed, samples, deadline_seconds, now)
    victim = _choose_victim(observed.serving, samples)
    return Mark(victim) if victim is not None else Idle()


def find_unexpected_victims(
    before: Observed, after: Observed, victims: Iterable[ObservedPod]
) -> tuple[ObservedPod, ...]:
    """Returns the pods that served before a shrink, go after it, and were not the ones to go."""
    expected = {pod.uid for pod in victims}
    staying = {pod.uid for pod in after.active}
    return tuple(p for p in before.serving if p.uid not in staying and p.uid not in expected)


def _find_free(observed: Observed, samples: Mapping[str, Sample]) -> list[ObservedPod]:
    # In the order in which the controller takes them: without a node, then not running, then the
    # youngest. A pod that is not Ready for a moment and still has requests is not free.
    free = [
        pod
        for pod in observed.active
        if not pod.ready and pod.draining_since is None and not _has_requests(pod, samples)
    ]
    return sorted(free, key=lambda pod: (pod.scheduled, pod.ip is not None, -pod.created, pod.uid))


def _has_requests(pod: ObservedPod, samples: Mapping[str, Sample]) -> bool:
    sample = samples.get(pod.uid)
    return sample is not None and bool(sample.in_flight)


def _shrink_free(observed: Observed, free: list[ObservedPod], missing: int, excess: int) -> Shrink:
    # Pods that were never made go without a trace; of the others, as many as are still too many.
    unmade = min(missing, excess)
    victims = tuple(free[: excess - unmade])
    to = observed.spec_replicas - unmade - len(victims)
    names = ", ".join(pod.name for pod in victims) or "replicas that were never made"
    return Shrink(to, victims, f"{observed.spec_replicas} to {to}: {names} served nobody")


def _follow(
    observed: Observed, samples: Mapping[str, Sample], deadline_seconds: float, now: float
) -> DrainStep:
    pod = observed.draining[0]
    lasted = max(0.0, now - min(pod.draining_since or now, now))
    sample = samples.get(pod.uid)
    to = observed.spec_replicas - 1
    if lasted >= deadline_seconds:
        late = f"{observed.spec_replicas} to {to}: {pod.name} reached its deadline"
        return Shrink(to, (pod,), f"{late} of {deadline_seconds:g} s, {_in_flight(sample)}")
    left = f"{deadline_seconds - lasted:.0f} s left"
    if lasted < SETTLE_SECONDS:
        return Wait(pod, f"{pod.name} still answers, endpoints change for {SETTLE_SECONDS:g} s")
    if sample is None or sample.in_flight is None or sample.in_flight > 0:
        return Wait(pod, f"{pod.name} finishes its requests: {_in_flight(sample)}, {left}")
    return Shrink(to, (pod,), f"{observed.spec_replicas} to {to}: {pod.name} is drained")


def _in_flight(sample: Sample | None) -> str:
    if sample is None or sample.in_flight is None:
        return "nobody knows how many are in flight"
    return f"{sample.in_flight:.0f} in flight"


def _choose_victim(
    serving: Iterable[ObservedPod], samples: Mapping[str, Sample]
) -> ObservedPod | None:
    # Fewest in flight ends soonest; the youngest has the least in its caches.
    return min(
        serving, key=lambda p: (_count_in_flight(p, samples), -p.created, p.uid), default=None
    )


def _count_in_flight(pod: ObservedPod, samples: Mapping[str, Sample]) -> float:
    sample = samples.get(pod.uid)
    return math.inf if sample is None or sample.in_flight is None else sample.in_flight
