"""Which replicas there are, which may still come, and which did not come in time.

A pod on its way is supply: nobody asks twice for it. It stops being supply at its deadline; the
step is then taken back, said, and left alone until ten minutes have passed or room was made.
"""

from dataclasses import dataclass
from statistics import median

from vibethinker_operator.observed import Observed, ObservedPod
from vibethinker_operator.scaling import ScalingPolicy, StartTimes, Withdrawal
from vibethinker_operator.wording import count_replicas


@dataclass(frozen=True, slots=True)
class Supply:
    """The replicas of one fleet.

    Attributes:
        replicas: What the Deployment is asked to run.
        coming: Pods with a node, on their way to Ready and within their deadline.
        stuck: Those of `coming` that say what keeps them (image, configuration, crashes).
        late: Pods that are past their deadline.
        missing: Replicas asked for and not made yet.
        missing_late: Of those, the ones refused (quota, Pod Security) for too long.
        obstacle: What keeps pods from being placed or made, in a sentence; None if nothing does.
    """

    replicas: int
    coming: tuple[ObservedPod, ...]
    stuck: tuple[ObservedPod, ...]
    late: tuple[ObservedPod, ...]
    missing: int
    missing_late: int
    obstacle: str | None

    @property
    def lost(self) -> int:
        """Replicas that are asked for and cannot be counted on."""
        return len(self.late) + self.missing_late

    @property
    def counted(self) -> int:
        """Replicas that serve or may still come."""
        return self.replicas - self.lost


def count_supply(policy: ScalingPolicy, observed: Observed, now: float) -> Supply:
    """Returns the replicas there are and may still come at `now` (unix seconds)."""
    unready = [p for p in observed.active if not p.ready and p.draining_since is None]
    late = tuple(pod for pod in unready if _is_late(policy, pod, now))
    coming = tuple(pod for pod in unready if pod.scheduled and pod not in late)
    missing = max(0, observed.spec_replicas - len(observed.active))
    failure = observed.deployment.replica_failure
    refused_for = 0.0 if failure is None or failure.since is None else now - failure.since
    return Supply(
        replicas=observed.spec_replicas,
        coming=coming,
        stuck=tuple(pod for pod in coming if pod.waiting_reason is not None),
        late=late,
        missing=missing,
        missing_late=missing if refused_for >= policy.provisioning_deadline_seconds else 0,
        obstacle=_find_obstacle(observed),
    )


def withdraw_late(
    supply: Supply, withdrawal: Withdrawal | None, *, room_event_at: float | None, now: float
) -> Withdrawal | None:
    """Returns the withdrawal in force after this sweep; None if steps may be asked for.

    A pod that stays late (the fleet may not shrink below its minimum) withdraws once, not again
    every ten minutes: or a fleet with one broken node could never grow around it.
    """
    late = frozenset(pod.uid for pod in supply.late)
    known = withdrawal.pods if withdrawal is not None else frozenset()
    if late - known or (supply.missing_late and withdrawal is None):
        return Withdrawal(now, late | known, describe_lost(supply))
    if withdrawal is None or not withdrawal.is_closed(room_event_at=room_event_at, now=now):
        return withdrawal
    return None if not late else withdrawal


def describe_lost(supply: Supply) -> str:
    """Returns a sentence about the replicas that did not come in time."""
    if not supply.late:
        return f"{count_replicas(supply.missing_late)} could not be made: {supply.obstacle}"
    pod = supply.late[0]
    if not pod.scheduled:
        found = pod.unschedulable_message or "the scheduler has not said why"
        return f"{count_replicas(supply.lost)} found no node in time: {found}"
    why = pod.waiting_reason or _describe_end(pod) or "nothing says why"
    return f"{count_replicas(supply.lost)} did not get Ready in time: {why}"


def learn_start(state: StartTimes, observed: Observed) -> StartTimes:
    """Returns how long pods take from made to Ready, with what this sweep shows.

    Learned from pods that were seen on their way; after a restart, when none was, from the
    quickest of those that are Ready (one that was not Ready for a moment would look slow).
    """
    serving = [pod for pod in observed.serving if pod.ready_since is not None]
    took = {pod.uid: max(0.0, (pod.ready_since or 0.0) - pod.created) for pod in serving}
    ready = frozenset(took)
    active = frozenset(pod.uid for pod in observed.active)
    been_ready = (state.been_ready & active) | ready
    started = [took[uid] for uid in state.on_their_way & ready]
    if started:
        return StartTimes(median(started), True, active - been_ready, been_ready)
    seconds = state.seconds if state.witnessed else min(took.values(), default=state.seconds)
    return StartTimes(seconds, state.witnessed, active - been_ready, been_ready)


def find_relief(supply: Supply, start_seconds: float | None, now: float) -> float | None:
    """Returns when the next pod on its way is due to be Ready; None if nobody can say.

    With none on its way, that is the time of one that would be asked for now.
    """
    if start_seconds is None:
        return None
    due = [max(now, p.created + start_seconds) for p in supply.coming if p not in supply.stuck]
    return min(due, default=now + start_seconds)


def _is_late(policy: ScalingPolicy, pod: ObservedPod, now: float) -> bool:
    if pod.scheduled_since is None:
        return now - pod.created >= policy.provisioning_deadline_seconds
    # One that was Ready once and is not now has its time from then on, not from its first start.
    since = max(pod.scheduled_since, pod.unready_since or 0.0)
    return now - since >= policy.startup_deadline_seconds


def _find_obstacle(observed: Observed) -> str | None:
    failure = observed.deployment.replica_failure
    if failure is not None and len(observed.active) < observed.spec_replicas:
        return failure.message or failure.reason
    return next(
        (
            f"pod {pod.name} has no node: {pod.unschedulable_message}"
            for pod in observed.active
            if pod.unschedulable_message is not None
        ),
        None,
    )


def _describe_end(pod: ObservedPod) -> str | None:
    end = pod.last_termination
    return None if end is None else f"it ended with {end.reason} (exit code {end.exit_code})"
