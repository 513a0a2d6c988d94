"""Alerts on the operator itself: it is gone, it fails, it is blind."""

from typing import Final

from vibethinker_operator import names

from charts.source.rules.alert import BACK_TO_AUTO, FLEET, FREEZE_SIZE, Alert, Command, Severity
from charts.source.rules.recording import OLDEST_SAMPLE, age_seconds

STUCK_SECONDS: Final = 60
STALE_SECONDS: Final = 3
FIND_OPERATOR: Final = f"kubectl get pods -A -l app.kubernetes.io/name={names.OPERATOR_NAME}"

OPERATOR_DOWN: Final = Alert(
    name="VibeThinkerOperatorDown",
    severity=Severity.CRITICAL,
    # Not by `up`: its job has another name in every installation.
    expression=f"absent({names.METRIC_LAST_ROUND})"
    f" or max({age_seconds(names.METRIC_LAST_ROUND)}) > {STUCK_SECONDS}",
    threshold=f"No operator is scraped, or its loop has begun no round for {STUCK_SECONDS} s.",
    for_="5m",
    summary="No VibeThinker operator is at work",
    description="No fleet grows, shrinks or is looked after. Pods go on serving and protect"
    " themselves: new sessions are refused once a line stays crossed.",
    meaning="Nobody decides. Fleets keep their size; after 10 s without the operator's lease each"
    " pod protects itself, so running sessions are safe and new ones are refused under load."
    " A crashed pod is still replaced: Kubernetes does that. Nothing is lost meanwhile; the"
    " operator takes up where it was.",
    look_at=f"""\
- Whether its pod runs: `{FIND_OPERATOR}`.
- The end of its log, also of the container before: `kubectl logs -n NAMESPACE POD --previous`. A
  wrong setting is named there in one line.
- Whether Prometheus scrapes it at all: the target's page of Prometheus. A network policy or a
  monitor without the label that Prometheus selects by looks the same as an operator that is gone.
""",
    act="""\
- If the pod is not there or Pending, `kubectl describe` its Deployment and pod.
- If it restarts, its log says why; the API server being away is an ordinary cause, and it comes
  back by itself.
- If it runs and its loop stands, its liveness probe restarts it; delete the pod if not.
""",
    by_hand=(
        Command(
            why="Set a fleet's size without the operator, on its Deployment. Shrinking so cuts"
            " answers off: without the operator nobody drains.",
            command="kubectl scale deployment/NAME -n NAMESPACE --replicas=3",
        ),
        Command(
            why="Keep that size when the operator comes back:",
            command=FREEZE_SIZE.command,
        ),
        BACK_TO_AUTO,
    ),
)

RECONCILE_ERRORS: Final = Alert(
    name="VibeThinkerReconcileErrors",
    severity=Severity.WARNING,
    expression=f"(sum(rate({names.METRIC_FAILED_TICKS}_total[5m])) or vector(0))"
    f" + (sum(rate({names.METRIC_FAILED_WRITES}_total[5m])) or vector(0)) > 0",
    threshold="Any tick ends in an error, or any write is refused.",
    for_="15m",
    summary="The VibeThinker operator fails at some of its work",
    description='{{ printf "%.2f" $value }} ticks or writes a second fail: at'
    " least one fleet is not kept as its resource asks.",
    meaning="The operator wants something that the API server refuses or does not answer, or it"
    " has a fault of its own. Other fleets are not held up. The fleet in question may keep its"
    " size, or miss an edit.",
    look_at=f"""\
- The operator's log; it names the fleet and the refusal: `{FIND_OPERATOR}`, then `kubectl logs`.
- The conditions of the fleets: `kubectl get vtd -A`, then `kubectl describe vtd NAME -n
  NAMESPACE`. A write that is refused stands in `Progressing`.
- The panels *Failed writes* and *API requests by code* of the board VibeThinker / Operator.
""",
    act="""\
- Forbidden (403): a right is missing, a quota is used up, or an admission policy says no; the
  message names which.
- Conflict (409) that lasts: somebody else writes the same fields; its field manager is in
  `kubectl get deployment NAME -n NAMESPACE -o yaml --show-managed-fields`.
- 5xx or no answer: the API server is in trouble, and so is more than this operator.
- A traceback in the log is a fault of ours: please report it.
""",
    by_hand=(FREEZE_SIZE, BACK_TO_AUTO),
)

METRICS_STALE: Final = Alert(
    name="VibeThinkerMetricsStale",
    severity=Severity.WARNING,
    expression=f"{OLDEST_SAMPLE.record} > {STALE_SECONDS}",
    threshold=f"The oldest reading of a ready pod is older than {STALE_SECONDS} s, three rounds.",
    for_="5m",
    keep_firing_for="5m",
    summary=f"{FLEET}: the operator cannot read a ready pod",
    description="The oldest reading of a ready pod is {{ $value | humanizeDuration }} old. Nothing"
    " shrinks while something is unknown, and with too few known pods nothing grows.",
    meaning="A pod is Ready and serves, but its ops port (9100) does not answer the operator, or"
    " answers what cannot be right. The pod hears no lease either and protects itself.",
    look_at="""\
- Why: the panel *Refused readings* of the board VibeThinker / Operator has the reasons (timeout,
  unreachable, wrong_status, not_finite, …).
- Which pod: `kubectl describe vtd NAME -n NAMESPACE`, condition `ScalingActive`; the pod table of
  the board VibeThinker / Fleet shows who has no figures.
""",
    act="""\
- unreachable or timeout: a NetworkPolicy between the operator's namespace and port 9100, or a
  node in trouble.
- wrong_status: the pod has another fleet token. It was made for a resource that was deleted and
  made again, or by another operator: delete the pod.
- anything else: read the pod's page yourself (below) and its log.
""",
    by_hand=(
        Command(
            why="Read the pod's own page:",
            command="kubectl port-forward -n NAMESPACE pod/POD 9100:9100",
        ),
        Command(why="Replace the pod:", command="kubectl delete pod POD -n NAMESPACE"),
        FREEZE_SIZE,
        BACK_TO_AUTO,
    ),
)
