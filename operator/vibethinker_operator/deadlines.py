"""Every time limit of a pod, from one place, so that they agree. Pure.

Two drains are bounded here. The pod's own (grace period, preStop, vLLM's --shutdown-timeout) is in
the pod template, so it is computed from `engine.maxModelLen`, which no answer can exceed: a change
of `tokenLimits` must never roll a pod. The operator's wait before it shrinks is not in the
template and is computed from the largest of `tokenLimits`.
"""

import math
from dataclasses import dataclass
from typing import Final

from vibethinker_operator.api import Spec
from vibethinker_operator.token_limits import resolve_token_limits

WORST_SECONDS_PER_TOKEN: Final = 0.25
"""Slowest token that a drain waits for. A decode step reads all weights: 3.1 GB take 0.15 s at the
20 GB/s of a small CPU node, and about 0.01 s on a T4 (320 GB/s), where a full batch takes 0.08 s
(768 tokens in about a minute at 64 sequences). A step shared with a prefill of 4096 tokens takes
0.4 s on a T4, but such steps are a few of an answer's hundreds."""

ENDPOINT_SETTLE_SECONDS: Final = 10
"""How long a draining pod still answers everything, while endpoints change in every proxy."""

TEARDOWN_SECONDS: Final = 30
"""What vLLM takes to end once its last answer is out: 8 s measured on CPU, with room."""

LONGEST_DRAIN_SECONDS: Final = 3600
"""No node is held longer than this by one pod, whatever the model's length. An answer of more
than 14,400 tokens at the slowest speed above would be cut."""

PROBE_PERIOD_SECONDS: Final = 2
"""Period of the start-up and readiness probes."""

SLACK_SECONDS: Final = 60
"""What the controllers themselves may take."""


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """The time limits of one fleet, in seconds; the threshold counts probes.

    Attributes:
        startup_failure_threshold: start-up probes that may fail: their time together is
            `scaling.startupDeadlineSeconds`.
        progress_seconds: time after which the Deployment reports that it does not progress.
        drain_seconds: longest wait of a pod for its last answers once it is told to end.
        grace_seconds: time between that and SIGKILL.
    """

    startup_failure_threshold: int
    progress_seconds: int
    drain_seconds: int
    grace_seconds: int


def derive_deadlines(spec: Spec) -> Deadlines:
    """Returns the time limits of the fleet's pods and of its Deployment."""
    scaling = spec.scaling
    drain_seconds = _drain_seconds(spec.engine.max_model_len)
    return Deadlines(
        startup_failure_threshold=math.ceil(
            scaling.startup_deadline_seconds / PROBE_PERIOD_SECONDS
        ),
        progress_seconds=(
            scaling.startup_deadline_seconds + scaling.provisioning_deadline_seconds + SLACK_SECONDS
        ),
        drain_seconds=drain_seconds,
        grace_seconds=drain_seconds + TEARDOWN_SECONDS,
    )


def derive_drain_deadline_seconds(spec: Spec) -> int:
    """Returns how long the operator waits for a marked pod before it shrinks the fleet anyway."""
    return _drain_seconds(max(resolve_token_limits(spec).values()))


def _drain_seconds(tokens: int) -> int:
    seconds = ENDPOINT_SETTLE_SECONDS + math.ceil(tokens * WORST_SECONDS_PER_TOKEN)
    return min(LONGEST_DRAIN_SECONDS, seconds)
