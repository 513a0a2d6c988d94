"""Everything that is known of one fleet after a tick: what status and metrics are made from."""

from dataclasses import dataclass, field

from vibethinker_operator.causes import Cause
from vibethinker_operator.fleet import Fleet
from vibethinker_operator.samples import Sample
from vibethinker_operator.scale_counts import ScaleCounts
from vibethinker_operator.scaling import Decision
from vibethinker_operator.signals import Signals


@dataclass(frozen=True)
class FleetView:
    """One fleet at one moment.

    Attributes:
        fleet: What was asked for, and what there is.
        signals: The load; None without a Deployment.
        decision: The decision of this tick; None without a Deployment.
        preparing: What the pod that prepares weights last said of itself; None: nothing.
        problem: What kept this tick from doing its work: a refused write, a taken name.
        scaled: How often its size was changed.
    """

    fleet: Fleet
    signals: Signals | None = None
    decision: Decision | None = None
    problem: Cause | None = None
    preparing: Sample | None = None
    scaled: ScaleCounts = field(default_factory=ScaleCounts)
