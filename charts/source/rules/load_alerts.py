"""Alerts on what users meet: memory above its line, a queue, refusals."""

from typing import Final

from charts.source.rules.alert import (
    BACK_TO_AUTO,
    FLEET,
    FREEZE_SIZE,
    RAISE_CEILING,
    Alert,
    Command,
    Severity,
)
from charts.source.rules.recording import MEMORY_OF_LINE, QUEUE_OF_LINE, REJECTED

MEMORY_HIGH: Final = Alert(
    name="VibeThinkerMemoryHigh",
    severity=Severity.WARNING,
    expression=f"{MEMORY_OF_LINE.record} > 1",
    threshold="Live memory is above the fleet's own line (`saturation.memoryUsedPercentage`).",
    # Longer than a scale-out takes: image, model and engine are up in ten minutes as a rule.
    for_="15m",
    keep_firing_for="5m",
    summary=f"{FLEET}: live memory stays above its line",
    description="Live memory is at {{ $value | humanizePercentage }} of the fleet's own line, for"
    " longer than a scale-out takes.",
    meaning="Growing has not brought relief: it is not allowed, finds no GPU, or load grows"
    " faster. At 95 % of the KV pool pods refuse new sessions under every policy, so that running"
    " ones are not preempted.",
    look_at="""\
- The decision and its reason: `kubectl describe vtd NAME -n NAMESPACE`, or the state timeline of
  the board VibeThinker / Fleet.
- Whether replicas are starting and for how long; `status.start` has their phase.
- Memory by kind: if `other` is large, something beside the engine uses the card.
""",
    act="""\
- WaitingForPlacement or StepWithdrawn: no GPU was free; add nodes or free some.
- AtMaxReplicas: raise `scaling.maxReplicas`.
- Mode Advisory or Manual: the operator may not act; set the size, or set mode Auto.
- OverloadPolicyReject: that policy never grows.
""",
    by_hand=(RAISE_CEILING, FREEZE_SIZE, BACK_TO_AUTO),
)

REJECTING: Final = Alert(
    name="VibeThinkerRejecting",
    severity=Severity.CRITICAL,
    expression=f"sum by (namespace, name) ({REJECTED.record}) > 0",
    threshold="Requests are refused for load. Refusals of pods that drain or start do not count.",
    for_="10m",
    keep_firing_for="5m",
    summary=f"{FLEET}: requests are refused",
    description='{{ printf "%.2f" $value }} requests a second are refused for load (429).'
    " Known sessions are served; new ones are told when to come back.",
    meaning="The fleet is full and relief does not come. The refusals are what keeps the running"
    " sessions well.",
    look_at="""\
- Reasons: the panel *Refusals by reason* of the board VibeThinker / Fleet. memory_line,
  kv_headroom and hard_line mean memory; queue_full and time_to_first_token mean time.
- `kubectl describe vtd NAME -n NAMESPACE`: why the fleet does not grow.
- Which key asks so much: `vibethinker_api_key_requests_total` by `key`.
""",
    act="""\
- If it may grow and GPUs are free, raise `scaling.maxReplicas`.
- time_to_first_token alone: the profile's objective is tighter than the card allows;
  `spec.profiles[].timeToFirstTokenSeconds` says what it tolerates.
- A single client in a loop that ignores Retry-After: take its key away.
""",
    by_hand=(
        RAISE_CEILING,
        Command(
            why="Let new sessions wait in the queue instead of refusing them:",
            command="kubectl patch vtd NAME -n NAMESPACE --type merge"
            """ -p '{"spec": {"overload": {"policy": "ScaleOut"}}}'""",
        ),
        FREEZE_SIZE,
        BACK_TO_AUTO,
    ),
)

QUEUE_BACKLOG: Final = Alert(
    name="VibeThinkerQueueBacklog",
    severity=Severity.WARNING,
    expression=f"{QUEUE_OF_LINE.record} > 1",
    threshold="More requests wait per ready replica than `saturation.requestQueueLength`.",
    for_="10m",
    keep_firing_for="5m",
    summary=f"{FLEET}: a queue that does not go away",
    description='The queue per ready replica is {{ printf "%.2f" $value }} times the fleet\'s own'
    " line.",
    meaning="Users wait for their first token. With a model this small most overload shows as a"
    " queue, with memory far below its line: sequences (`engine.maxNumSeqs`) run out first.",
    look_at="""\
- Time to the first token against each profile's objective, and sequences running, on the board
  VibeThinker / Fleet.
- Whether one pod has the whole queue: clients that keep one connection stay with one pod.
- Scheduler and latencies of that pod on vLLM's own boards, linked from the pod table.
""",
    act="""\
- Raise `scaling.maxReplicas` where the decision says AtMaxReplicas.
- Raise `engine.maxNumSeqs` where memory is low; this replaces the pods.
- Lower `overload.maxQueuedRequests` where a quick refusal is better than a wait.
""",
    by_hand=(RAISE_CEILING, FREEZE_SIZE, BACK_TO_AUTO),
)
