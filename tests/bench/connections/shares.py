"""Which replica answered how much before and after a fleet grew. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CLOSE_RULE_SHARE = 0.30
NO_RULE_SHARE = 0.05


@dataclass(frozen=True)
class Answered:
    """One answered request: when it was sent, in seconds of one clock, and by whom."""

    sent: float
    pod: str


def compute_shares(
    answers: Sequence[Answered], *, grown: float, ready: float, within_seconds: float
) -> dict[str, Any]:
    """Requests by replica before the fleet grew, and within some seconds of the new one's Ready.

    `new_share` is what the replicas that had answered nothing before took of the latter.
    """
    before = Counter(answer.pod for answer in answers if answer.sent < grown)
    until = ready + within_seconds
    after = Counter(answer.pod for answer in answers if ready <= answer.sent <= until)
    new = sum(count for pod, count in after.items() if pod not in before)
    return {
        "requests_before": before.total(),
        "requests_after": after.total(),
        "before": dict(before),
        "after": dict(after),
        "new_share": new / after.total() if after else None,
        "within_seconds": within_seconds,
    }
