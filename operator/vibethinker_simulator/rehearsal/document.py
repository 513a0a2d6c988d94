"""The comparison for programs: everything that the text shows, and every change of size. Pure."""

import json
import math
from dataclasses import asdict
from statistics import fmean
from typing import Any

from vibethinker_simulator.outcome import Fate
from vibethinker_simulator.rehearsal.arm import Played
from vibethinker_simulator.rehearsal.comparison import Comparison
from vibethinker_simulator.rehearsal.watched import SizeChange

Json = dict[str, Any]


def render_json(comparison: Comparison) -> str:
    """Returns the comparison as JSON; what is no number is null."""
    question = comparison.question
    document = {
        "title": comparison.title,
        "measured": False,
        "trace": {
            "name": question.trace.name,
            "requests": len(question.trace.requests),
            "seconds": question.trace.seconds,
        },
        "start_seconds": question.start_seconds,
        "seed": question.seed,
        "notes": list(comparison.notes),
        "arms": [_describe_arm(played) for played in comparison.played],
    }
    return json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)


def _describe_arm(played: Played) -> Json:
    blueprint, outcome = played.blueprint, played.outcome
    replicas = outcome.replicas or [played.arm.first_replicas]
    return {
        "name": played.arm.name,
        "card": played.arm.resource.spec.gpu.product,
        "constants": blueprint.speed.source,
        "first_replicas": played.arm.first_replicas,
        "objective_seconds": blueprint.objective_seconds,
        "memory_line_ratio": blueprint.policy.saturation.memory_used_ratio,
        "replicas_mean": fmean(replicas),
        "replicas_most": max(replicas),
        **{name: _number(value) for name, value in asdict(played.figures).items()},
        "refused_for": dict(sorted(outcome.refused_for.items())),
        "not_ended": outcome.fates.count(Fate.INSIDE),
        "too_long": outcome.fates.count(Fate.TOO_LONG),
        "changes": [_describe_change(change) for change in played.changes],
    }


def _describe_change(change: SizeChange) -> Json:
    decision = change.decision
    step: Json = {"time": change.time, "from": change.before, "to": change.after}
    if decision is None:
        return step
    return step | {
        "rule": decision.rule,
        "reason": decision.reason,
        "message": decision.message,
        "counterfactual": decision.counterfactual,
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
