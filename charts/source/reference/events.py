"""docs/reference/events.md: every Event of a fleet, from the code's own enumerations."""

from collections.abc import Iterator

from vibethinker_operator import names
from vibethinker_operator.api.status import ConditionStatus
from vibethinker_operator.condition_meanings import CONDITIONS
from vibethinker_operator.events import News
from vibethinker_operator.notices import ORDINARY, WELCOME

from charts.source.reference.markdown import code, render_page, render_table

TEXT = f"""Events are about the `{names.KIND}`, and are posted when something changed, once; the
message has the numbers. `kubectl describe {names.SHORT_NAME} NAME` shows them, and

```sh
kubectl get events --field-selector involvedObject.kind={names.KIND} --watch
```

follows them. Their source is `{names.OPERATOR_NAME}`. Kubernetes keeps Events for an hour; the
operator's log has each of them too."""
TRANSITIONS = """When the answer of one of these conditions changes, its reason is the Event's, and
its message too ([conditions.md](conditions.md)). Bad news is a Warning. That all is well is told
only after it was not. Not told: what every fleet is for a while on its way up, or what its owner
wrote ({ordinary})."""
CLUSTER = """`Ready` and `Progressing` also cite the cluster: the kubelet's, the scheduler's or the
Deployment's own word is then the reason, such as `ErrImagePull` or `FailedCreate`. Of these two,
`Ready` is told."""


def render_events_page() -> str:
    """Returns the page."""
    news = ((code(n.reason), n.type, n.when) for n in News)
    return render_page(
        "Events",
        TEXT,
        "## What a fleet does",
        render_table(("reason", "type", "when"), news),
        "## Conditions that change",
        TRANSITIONS.format(ordinary=", ".join(code(str(word)) for word in sorted(ORDINARY))),
        render_table(("reason", "type", "condition", "meaning"), _list_transitions()),
        CLUSTER,
    )


def _list_transitions() -> Iterator[tuple[str, ...]]:
    for type_, welcome in WELCOME.items():
        for answer in CONDITIONS[type_].answers:
            good = answer.status is welcome
            if answer.status is ConditionStatus.UNKNOWN or (answer.reason in ORDINARY and not good):
                continue
            yield code(answer.reason), "Normal" if good else "Warning", code(type_), answer.text
