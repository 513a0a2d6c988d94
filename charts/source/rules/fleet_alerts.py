"""Alerts on a fleet's size: nobody serves, it may not grow, it goes to and fro."""

from typing import Final

from vibethinker_operator import names

from charts.source.rules.alert import (
    BACK_TO_AUTO,
    FLEET,
    FREEZE_SIZE,
    RAISE_CEILING,
    Alert,
    Command,
    Severity,
)
from charts.source.rules.recording import (
    MEMORY_OF_LINE,
    QUEUE_OF_LINE,
    REJECTED,
    REVERSALS,
    of_fleet,
)

MAX_REVERSALS: Final = 4
DESIRED: Final = f'{names.METRIC_REPLICAS}{{state="desired"}}'
NOT_READY_CONDITION: Final = f'{names.METRIC_CONDITION}{{type="Ready", status!="True"}}'

NOT_READY: Final = Alert(
    name="VibeThinkerNotReady",
    severity=Severity.CRITICAL,
    expression=f"{of_fleet(NOT_READY_CONDITION)} == 1"
    f" unless on (namespace, name) {of_fleet(DESIRED)} == 0",
    threshold="Condition `Ready` is not True, while at least one replica is wanted.",
    for_="15m",
    summary=f"{FLEET}: nobody serves",
    description="No replica is Ready, so every request fails.",
    meaning="Every request to the fleet fails. A first start may take so long where the image"
    " and the model are loaded over a slow line; the phase tells.",
    look_at="""\
- `kubectl describe vtd NAME -n NAMESPACE`: the condition `Ready` names the cause and what to do;
  `status.start` has the phase of the pod that is on its way (Unschedulable, PullingImage,
  DownloadingModel, StartingEngine, WarmingUp).
- The pod's log: `kubectl logs -n NAMESPACE POD -c engine`. vLLM's refusals (card too small,
  flags) stand at its end.
""",
    act="""\
- Unschedulable: no node has a free GPU that fits `spec.gpu` and `spec.scheduling`.
- PullingImage: the image's name, its registry, `spec.engine.imagePullSecrets`.
- DownloadingModel: the hub's endpoint and token, the size of the cache volume.
- InvalidSpec: the condition names the field.
- Out of memory at the start: lower `spec.engine.maxModelLen`, `maxNumSeqs` or
  `gpuMemoryUtilizationPercentage`.
""",
    by_hand=(
        Command(
            why="See what the cluster says of the pods:",
            command="kubectl describe pods -n NAMESPACE -l app.kubernetes.io/instance=NAME",
        ),
        Command(
            why="Start one afresh:",
            command="kubectl delete pod POD -n NAMESPACE",
        ),
    ),
)

AT_MAX_REPLICAS: Final = Alert(
    name="VibeThinkerAtMaxReplicas",
    severity=Severity.WARNING,
    # Refusals hold memory near its line, now above, now below: the highest of five minutes counts,
    # and a refusal for load counts as the line crossed.
    expression=f"{of_fleet(DESIRED)} >= {of_fleet(names.METRIC_MAX_REPLICAS)}"
    f" and on (namespace, name) (max_over_time({MEMORY_OF_LINE.record}[5m]) > 1"
    f" or max_over_time({QUEUE_OF_LINE.record}[5m]) > 1"
    f" or sum by (namespace, name) ({REJECTED.record}) > 0)",
    threshold="As many replicas as `scaling.maxReplicas` allows, and memory or queue still cross"
    " their lines, or requests are refused for load.",
    for_="15m",
    keep_firing_for="5m",
    summary=f"{FLEET}: at its most replicas, and still too loaded",
    description="maxReplicas ({{ $value }}) is reached, and a line stays crossed. New sessions wait"
    " or are refused.",
    meaning="The fleet would grow and may not. Under `ScaleOutThenReject` and `Reject` new sessions"
    " are refused with a Retry-After and known ones are served; under `ScaleOut` all wait. With"
    " `spec: {}` maxReplicas is 1: such a fleet never asks for a second GPU.",
    look_at="""\
- `kubectl describe vtd NAME -n NAMESPACE`: `ScalingLimited` says how many are needed, and
  `status.decision` what would change the answer.
- The rows *Load* and *Decisions* of the board VibeThinker / Fleet: memory, queue, or both.
""",
    act="""\
- If there are GPUs, raise `scaling.maxReplicas`.
- If not: fewer sequences or shorter answers (`spec.tokenLimits`) hold less memory each.
- If one caller is the load, give it a key of its own and look at the requests by key.
""",
    by_hand=(RAISE_CEILING, FREEZE_SIZE, BACK_TO_AUTO),
)

FLAPPING: Final = Alert(
    name="VibeThinkerFlapping",
    severity=Severity.WARNING,
    expression=f"{REVERSALS.record} > {MAX_REVERSALS}",
    threshold=f"The size turned back more than {MAX_REVERSALS} times within 30 minutes.",
    for_="1m",
    keep_firing_for="10m",
    summary=f"{FLEET}: grows and shrinks by turns",
    description='The fleet\'s size has turned back {{ printf "%.0f" $value }} times within half an'
    " hour. Every start of a replica costs minutes of GPU time in which it serves nobody.",
    meaning="Load comes in waves that are shorter than the stabilization window, or somebody"
    " else writes the size too. Nobody is cut off: every shrink drains.",
    look_at="""\
- The rows *Decisions* and *Load* of the board VibeThinker / Fleet: which signal crosses its line
  each time.
- `kubectl get events -n NAMESPACE --field-selector involvedObject.name=NAME`: each step has its
  sentence.
- Under mode Manual: what an HPA or KEDA writes to the fleet's /scale.
""",
    act="""\
- Raise `scaling.scaleDownStabilizationSeconds` beyond the length of a wave.
- Raise `scaling.minReplicas` to what the waves need.
- If the queue alone causes it, raise `saturation.requestQueueLength` or `sustainedSeconds`.
""",
    by_hand=(
        Command(
            why="Shrink later:",
            command="kubectl patch vtd NAME -n NAMESPACE --type merge"
            """ -p '{"spec": {"scaling": {"scaleDownStabilizationSeconds": 1800}}}'""",
        ),
        FREEZE_SIZE,
        BACK_TO_AUTO,
    ),
)
