"""A fleet after a tick, on paper: what status, conditions, notices and metrics are made from."""

from dataclasses import replace
from typing import Any

from vibethinker_operator.causes import Cause
from vibethinker_operator.fleet import Fleet
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.observed import Observed
from vibethinker_operator.resources import choose_template
from vibethinker_operator.scaling import Decision, ScalingPolicy
from vibethinker_operator.signals import Signals, fold_signals
from vibethinker_operator.windows import Windows

from tests.unit.deciding.builders import START, Load, Story, make_observed, make_pod, make_sample
from tests.unit.operating.builders import make_body
from tests.unit.operator_api.resource import IMAGES, make_resource

ONE = make_observed(make_pod("a"))


def decide_once(
    policy: ScalingPolicy | None = None, *, replicas: int = 1, load: Load | None = None
) -> Decision:
    """What a calm fleet, or one under `load` for a while, is told."""
    return Story(policy or ScalingPolicy(), replicas=replicas).sweeps(20, load)[-1]


def read_once(observed: Observed, **facts: Any) -> Signals:
    """The load of a fleet whose pods all answer the same."""
    samples = [make_sample(pod.uid, START, **facts) for pod in observed.active]
    windows = Windows().record(samples, {pod.uid for pod in observed.pods}, START)
    return fold_signals(windows, observed, START)


def make_fleet_of(observed: Observed | None, spec: dict[str, Any] | None = None) -> Fleet:
    resource = make_resource(spec)
    return Fleet(
        body=make_body(spec),
        resource=resource,
        choice=choose_template(resource, offered=IMAGES, stored=None),
        deployment=None if observed is None else {},
        observed=observed,
    )


def make_view(
    observed: Observed | None = ONE,
    *,
    spec: dict[str, Any] | None = None,
    signals: Signals | None = None,
    decision: Decision | None = None,
    problem: Cause | None = None,
    **choice: Any,
) -> FleetView:
    """A view; what `choice` names is otherwise in the choice of the template."""
    fleet = make_fleet_of(observed, spec)
    fleet = replace(fleet, choice=replace(fleet.choice, **choice))
    return FleetView(fleet, signals, decision, problem)
