"""What the fleets are played on. Deterministic."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, Final

from vibethinker_operator.api import VibeThinkerDeployment, parse_deployment
from vibethinker_simulator.builtin_traces import azure_conv, step
from vibethinker_simulator.fleet import Fleet
from vibethinker_simulator.servegen import draw_day
from vibethinker_simulator.simulation import EPOCH, Incident
from vibethinker_simulator.trace import Trace, superpose

CARD: Final = "NVIDIA-L4"
MOST_REPLICAS: Final = 16
APP: Final = [{"name": "app", "kind": "App", "systemPrompt": "You solve what you are asked."}]
REASONING: Final = {"engine": {"maxModelLen": 40_960}, "tokenLimits": {"preset": "Reasoning"}}
"""The resource for reasoning traffic; for everything else the shipped defaults hold."""


@dataclass(frozen=True)
class Scenario:
    """One line of the report, before it is said who sizes the fleet.

    Attributes:
        name: Of trace and incident.
        trace: Makes the trace.
        start_seconds: From a pod's making to its being Ready.
        first_replicas: Pods that are Ready when it begins.
        most_replicas: Bound of every fleet.
        spec: What the resource says beside card, profile and bounds.
        incident: Makes what goes wrong; None: nothing.
    """

    name: str
    trace: Callable[[], Trace]
    start_seconds: float = 60.0
    first_replicas: int = 1
    most_replicas: int = MOST_REPLICAS
    spec: dict[str, Any] = field(default_factory=dict)
    incident: Callable[[], Incident] | None = None

    @property
    def key(self) -> str:
        """Its name in the figures: trace, incident and start time."""
        return f"{self.name}, start {self.start_seconds:g} s"


def build_resource(scenario: Scenario, scaling: dict[str, Any]) -> VibeThinkerDeployment:
    """Returns the fleet of a scenario; `scaling` is merged into `spec.scaling` and its like."""
    bounds = {"minReplicas": 1, "maxReplicas": scenario.most_replicas}
    spec: dict[str, Any] = {"gpu": {"product": CARD}, "profiles": APP, **scenario.spec}
    spec |= {name: part for name, part in scaling.items() if name != "scaling"}
    spec["scaling"] = {**bounds, **scaling.get("scaling", {})}
    metadata = {"name": "simulated", "namespace": "simulated", "uid": "0", "generation": 1}
    return parse_deployment({"metadata": metadata, "spec": spec})


@cache
def conversations() -> Trace:
    """Returns Azure's conversations, six of them at once: 33 requests a second."""
    return superpose(azure_conv(), 6)


@cache
def reasoning_day() -> Trace:
    """Returns a day of deepseek-r1's users, at four requests a second."""
    return draw_day(4.0)


@cache
def ten_times() -> Trace:
    """Returns 1.5 requests a second that are fifteen for ten minutes."""
    return step(1.5)


@cache
def conversations_times(factor: float) -> Trace:
    """Returns an hour of conversations at so many times what three replicas carry."""
    copies = round(4.8 * factor)
    return superpose(azure_conv(), copies)


def blackout() -> Incident:
    """Returns half a minute in which no pod can be read."""

    def happen(fleet: Fleet, second: float) -> Collection[int]:
        return {pod.number for pod in fleet.pods} if 1200 <= second < 1230 else ()

    return happen


def death() -> Incident:
    """Returns the death of the busiest pod at minute 25."""
    done: list[float] = []

    def happen(fleet: Fleet, second: float) -> Collection[int]:
        running = [pod for pod in fleet.active if pod.server is not None]
        if second >= 1500 and not done and running:
            done.append(second)
            busiest = max(running, key=lambda pod: pod.server.replica.running if pod.server else 0)
            busiest.fail(EPOCH + second)
        return ()

    return happen


STARTS: Final = (5.0, 60.0, 180.0)
_CONV: Final = Scenario("conv x6", conversations)
_R1: Final = Scenario("r1 24 h", reasoning_day, first_replicas=4, spec=REASONING)

STEADY: Final = tuple(
    replace(one, start_seconds=seconds)
    for one in (_CONV, replace(_CONV, name="conv x6 warm", first_replicas=5), _R1)
    for seconds in STARTS
)
OVERLOAD: Final = tuple(
    Scenario(
        f"overload {factor:g}x at 3",
        partial(conversations_times, factor),
        first_replicas=3,
        most_replicas=3,
    )
    for factor in (1.25, 2.0)
)
INCIDENTS: Final = (
    Scenario("step x10", ten_times),
    replace(_CONV, name="conv x6, blackout 30 s", first_replicas=5, incident=blackout),
    replace(_CONV, name="conv x6, a replica dies", first_replicas=5, incident=death),
)
SCENARIOS: Final = (*STEADY, *OVERLOAD, *INCIDENTS)
