"""docs/reference/conditions.md: every condition, its reasons, and the words of decisions."""

from collections.abc import Iterator

from vibethinker_operator.condition_meanings import CONDITIONS, ConditionMeaning
from vibethinker_operator.decision_meanings import REASONS, RULES

from charts.source.reference.markdown import code, render_page, render_table

TEXT = """`status.conditions` of a fleet. All but `Stalled` stand there from the operator's first
look on; `Unknown` is an answer of its own. `observedGeneration` says which spec an answer is about,
`lastTransitionTime` when its status last changed. To wait for one: `kubectl wait vtd NAME
--for=condition=Ready --timeout=30m`."""
CLUSTER = """With status False the reason can also be the cluster's own word: the kubelet's
(`ErrImagePull`, `CrashLoopBackOff`), the Deployment's (`FailedCreate`), or, where a container ended
again and again, what the doctor found ([findings.md](findings.md))."""
TOOLS = """Argo CD and kstatus (Flux, kpt) read `Ready`, `Progressing` and `Stalled`, and nothing
else of these; what they make of them is in [gitops.md](../gitops.md). `ScalingActive`,
`ScalingLimited`, `MemoryLineReachable`, `EngineSupported` and `UpdateAvailable` change no tool's
verdict: a fleet at its largest size serves, and is healthy."""
DECISIONS = """`status.decision` holds the last decision that changed anything: the rule that gave
the number, the reason, a sentence with the numbers and what would change it.
`vibethinker_fleet_decision` has the rule and reason of the one that holds."""


def render_conditions_page() -> str:
    """Returns the page."""
    return render_page(
        "Conditions and decisions",
        TEXT,
        *(part for type_, meaning in CONDITIONS.items() for part in _render(type_, meaning)),
        "## What Argo CD and kstatus read",
        TOOLS,
        "## Decisions",
        DECISIONS,
        render_table(("rule", "gives the number when"), ((code(r), t) for r, t in RULES.items())),
        render_table(("reason", "meaning"), ((code(r), t) for r, t in REASONS.items())),
    )


def _render(type_: str, meaning: ConditionMeaning) -> Iterator[str]:
    yield f"## {type_}"
    yield meaning.question
    rows = ((answer.status.value, code(answer.reason), answer.text) for answer in meaning.answers)
    yield render_table(("status", "reason", "meaning"), rows)
    if meaning.cites_cluster:
        yield CLUSTER
