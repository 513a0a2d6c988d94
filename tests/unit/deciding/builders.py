"""A fleet on paper: pods, readings and sweeps of one second each, for stories in time.

The card is an L4-like one in round numbers: 24 GB, of which 4.6 GB are weights and the like, and
15.8 GB the KV pool. At a line of 75 % a replica is sized to hold 11.6 GB of KV (67.5 %).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vibethinker_operator.decision import decide
from vibethinker_operator.observed import (
    DeploymentCondition,
    Observed,
    ObservedDeployment,
    ObservedPod,
)
from vibethinker_operator.samples import Sample, SampleRefused
from vibethinker_operator.scaling import Decision, ScalingPolicy, ScalingState
from vibethinker_operator.signals import Signals, fold_signals
from vibethinker_operator.windows import Windows

GB = 1e9
DEVICE = 24 * GB
WEIGHTS = 3.1 * GB
OTHER = 1.5 * GB
POOL = 15.8 * GB
START = 1_000_000.0


def make_pod(uid: str = "a", **facts: Any) -> ObservedPod:
    """A pod that has been Ready for an hour, changed by `facts`."""
    pod = ObservedPod(
        uid=uid,
        name=f"vt-{uid}",
        namespace="default",
        ip="10.0.0.1",
        node="node-1",
        created=START - 3700,
        template_hash="h1",
        scheduled_since=START - 3700,
        unschedulable_message=None,
        ready=True,
        ready_since=START - 3600,
        unready_since=None,
        terminating=False,
        finished=False,
        waiting_reason=None,
        waiting_message=None,
        pulling=False,
        restarts=0,
        last_termination=None,
        draining_since=None,
        deletion_cost=None,
    )
    return replace(pod, **facts)


def make_starting(uid: str, *, created: float, **facts: Any) -> ObservedPod:
    """A pod with a node that is not Ready yet."""
    return make_pod(
        uid,
        **{
            "created": created,
            "scheduled_since": created,
            "ready": False,
            "ready_since": None,
            "unready_since": created,
            **facts,
        },
    )


def make_pending(uid: str, *, created: float, message: str | None = None) -> ObservedPod:
    """A pod without a node."""
    return make_starting(
        uid,
        created=created,
        scheduled_since=None,
        unschedulable_message=message,
        node=None,
        ip=None,
    )


def make_deployment(
    replicas: int, *conditions: DeploymentCondition, **facts: Any
) -> ObservedDeployment:
    deployment = ObservedDeployment(
        uid="d",
        name="vt",
        namespace="default",
        spec_replicas=replicas,
        resource_version="1",
        generation=1,
        observed_generation=1,
        progress_deadline_seconds=2760,
        conditions=conditions,
        annotations={},
    )
    return replace(deployment, **facts)


def make_observed(
    *pods: ObservedPod, replicas: int | None = None, room_event_at: float | None = None
) -> Observed:
    return Observed(
        make_deployment(len(pods) if replicas is None else replicas), pods, room_event_at
    )


def make_sample(uid: str = "a", time: float = START, **facts: Any) -> Sample:
    """A reading of an idle pod: raw memory at 85 %, live memory at 19 %."""
    kv_used = facts.pop("kv_used", 0.0)
    sample = Sample(
        pod_uid=uid,
        time=time,
        memory_used_ratio=(WEIGHTS + OTHER + kv_used) / DEVICE,
        device_memory_used_ratio=0.85,
        device_memory_bytes=DEVICE,
        weights_bytes=WEIGHTS,
        kv_used_bytes=kv_used,
        kv_idle_bytes=max(0.0, POOL - kv_used),
        other_bytes=OTHER,
        queue_length=0.0,
        running=0.0,
        in_flight=0.0,
        prefill_backlog_tokens=0.0,
        finished_total=0.0,
        engine_steps_total=0.0,
        draining=False,
        max_num_seqs=128.0,
    )
    return replace(sample, **facts)


@dataclass(frozen=True)
class Load:
    """What all clients together put on the fleet, shared evenly by the pods that serve."""

    kv: float = 0.0
    waiting: float = 0.0
    running: float = 0.0
    finishing: float = 0.0  # requests per second and replica
    refusing: float = 0.0  # requests per second and replica, for memory


@dataclass
class Story:
    """A fleet that is swept once a second and does what is decided.

    New pods get a node at once and are Ready after `start_seconds`; a shrink takes the youngest
    pod at once (draining has tests of its own).
    """

    policy: ScalingPolicy = field(default_factory=ScalingPolicy)
    replicas: int = 1
    start_seconds: float = 60.0
    applies: bool = True
    now: float = START
    state: ScalingState = field(default_factory=ScalingState)
    windows: Windows = field(default_factory=Windows)
    pods: dict[str, ObservedPod] = field(default_factory=dict)
    totals: dict[str, dict[str, float]] = field(default_factory=dict)
    conditions: tuple[DeploymentCondition, ...] = ()
    room_event_at: float | None = None
    signals: Signals | None = None
    born: int = 0

    def __post_init__(self) -> None:
        for _ in range(self.replicas):
            self._add(make_pod(self._name()))

    def sweep(
        self,
        load: Load | None = None,
        *,
        silent: Collection[str] = (),
        readings: Mapping[str, Sample | SampleRefused] | None = None,
    ) -> Decision:
        """One second later, one sweep and one decision."""
        self.now += 1.0
        self._grow_up()
        observed = self.observe()
        sweep = [
            reading
            for reading in self._read(load or Load(), observed, readings or {})
            if reading.pod_uid not in silent
        ]
        self.windows = self.windows.record(sweep, {p.uid for p in observed.pods}, self.now)
        self.signals = fold_signals(self.windows, observed, self.now)
        decision = decide(self.policy, observed, self.signals, self.state, self.now)
        self.state = decision.state
        if self.applies:
            self._apply(decision.desired)
        return decision

    def sweeps(self, count: int, load: Load | None = None, **how: Any) -> list[Decision]:
        return [self.sweep(load, **how) for _ in range(count)]

    def sweep_until(self, done: Callable[[Decision], bool], load: Load, most: int) -> Decision:
        for _ in range(most):
            decision = self.sweep(load)
            if done(decision):
                return decision
        raise AssertionError(f"not within {most} s; the last said: {decision.message}")

    def restart(self, *, gap_seconds: float = 0.0) -> None:
        """The operator is gone for a while; the new one has only what the status kept."""
        self.now += gap_seconds
        self.state = ScalingState.resume(self.state.streak)
        self.windows = Windows()

    def observe(self) -> Observed:
        deployment = make_deployment(self.replicas, *self.conditions)
        return Observed(deployment, tuple(self.pods.values()), self.room_event_at)

    def change(self, uid: str, **facts: Any) -> None:
        self.pods[uid] = replace(self.pods[uid], **facts)

    def add_pending(self, message: str | None) -> None:
        self._add(make_pending(self._name(), created=self.now, message=message))

    def _name(self) -> str:
        self.born += 1
        return f"p{self.born}"

    def _add(self, pod: ObservedPod) -> None:
        self.pods[pod.uid] = pod
        self.totals[pod.uid] = {"finished": 0.0, "refused": 0.0, "steps": 0.0}

    def _grow_up(self) -> None:
        for pod in list(self.pods.values()):
            if pod.ready or not pod.scheduled or pod.draining_since is not None:
                continue
            if self.now - pod.created >= self.start_seconds:
                self.change(pod.uid, ready=True, ready_since=self.now, unready_since=None)

    def _read(
        self, load: Load, observed: Observed, given: Mapping[str, Sample | SampleRefused]
    ) -> list[Sample | SampleRefused]:
        serving = max(1, len(observed.serving))
        return [
            given[pod.uid]
            if pod.uid in given
            else self._sample(pod, load, serving if pod.serving else 0)
            for pod in observed.active
            if pod.ip is not None
        ]

    def _sample(self, pod: ObservedPod, load: Load, serving: int) -> Sample:
        totals = self.totals[pod.uid]
        if not serving:
            return make_sample(pod.uid, self.now)
        totals["finished"] += load.finishing
        totals["refused"] += load.refusing
        totals["steps"] += 50.0
        return make_sample(
            pod.uid,
            self.now,
            kv_used=min(POOL, load.kv / serving),
            queue_length=load.waiting / serving,
            running=load.running / serving,
            in_flight=(load.running + load.waiting) / serving,
            finished_total=totals["finished"],
            engine_steps_total=totals["steps"],
            rejected_total=(("memory_line", totals["refused"]),) if totals["refused"] else (),
        )

    def _apply(self, desired: int) -> None:
        while self.replicas < desired:
            self.replicas += 1
            self._add(make_starting(self._name(), created=self.now))
        while self.replicas > desired:
            self.replicas -= 1
            order = sorted(self.pods.values(), key=lambda p: (p.ready, -p.created, p.uid))
            del self.pods[order[0].uid]


def scale_events(story: Story, decisions: list[Decision]) -> list[int]:
    """The sizes that were asked for, each once, in order."""
    sizes = [decisions[0].replicas] if decisions else []
    for decision in decisions:
        if decision.desired != sizes[-1]:
            sizes.append(decision.desired)
    return sizes
