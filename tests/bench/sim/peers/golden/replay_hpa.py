"""The kept turns of Kubernetes' controller, given to our port."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from tests.bench.sim.peers.hpa import Hpa
from tests.bench.sim.peers.hpa_behavior import DOWN, UP, Behavior, Kind, Policy, Rules, Select
from tests.bench.sim.peers.hpa_metrics import ExternalMetric, PodsMetric
from tests.bench.sim.peers.pods import PodView

PENDING: Final = 1
TERMINATING: Final = 2


def replay_hpa(life: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Yields for each turn the replicas that the real controller set, and ours."""
    hpa = _build(life["settings"])
    for turn in life["turns"]:
        pods = [_parse_pod(number, *pod) for number, pod in enumerate(turn["pods"] or ())]
        totals = {
            f"external-{number}": _reading(total)
            for number, total in enumerate(turn.get("totals", ()))
            if total is not None
        }
        yield turn["wanted"], hpa.step(turn["now"], turn["current"], pods, totals)


def _build(settings: dict[str, Any]) -> Hpa:
    pods = [_target(target) for target in settings["pods_targets"] or ()]
    external = [_target(target) for target in settings["external_targets"] or ()]
    behavior = settings["behavior"]
    return Hpa(
        [
            *(PodsMetric(f"pods-{number}", target) for number, target in enumerate(pods)),
            *(ExternalMetric(f"external-{number}", one) for number, one in enumerate(external)),
        ],
        minimum=settings["minimum"],
        maximum=settings["maximum"],
        behavior=None if behavior is None else _parse_behavior(behavior),
    )


def _parse_behavior(behavior: dict[str, Any]) -> Behavior:
    return Behavior(_parse_rules(behavior["up"], UP), _parse_rules(behavior["down"], DOWN))


def _parse_rules(rules: dict[str, Any] | None, defaults: Rules) -> Rules:
    given = {name: value for name, value in (rules or {}).items() if value is not None}
    if "policies" in given:
        given["policies"] = tuple(
            Policy(Kind(one["kind"]), one["value"], one["period_seconds"])
            for one in given["policies"]
        )
    if "select" in given:
        given["select"] = Select(given["select"])
    return replace(defaults, **given)


def _parse_pod(number: int, state: int, *values: int | None) -> PodView:
    return PodView(
        name=f"pod-{number}",
        created=0.0,
        ready_since=None,
        pending=state == PENDING,
        terminating=state == TERMINATING,
        metrics={
            f"pods-{metric}": _reading(value)
            for metric, value in enumerate(values)
            if value is not None
        },
    )


def _target(thousandths: int) -> float:
    return thousandths / 1000


def _reading(thousandths: int) -> float:
    return (thousandths + 0.5) / 1000  # cut off again on its way in
