"""How the KPA learns what its pods have in flight: it asks a sample of them, every second.

Knative Serving v0.51.0, pkg/autoscaler/metrics: stats_scraper.go (pods asked one by one) and
sample_size.go.
"""

import math
import random
from collections.abc import Sequence
from typing import Final

from tests.bench.sim.peers.pods import PodView

SCRAPE_SECONDS: Final = 1.0

_CONFIDENCE: Final = 1.96
_MARGIN: Final = 5.0
_VARIANCE: Final = 100.0
_UNBOUNDED_SAMPLE: Final = (_CONFIDENCE * _CONFIDENCE) * _VARIANCE / (_MARGIN * _MARGIN)
_SMALL: Final = 3


def sample_size(pods: int) -> int:
    """Returns how many of the pods are asked: all up to three, and never more than 16."""
    if pods <= _SMALL:
        return pods
    return math.ceil(pods * _UNBOUNDED_SAMPLE / (pods + _UNBOUNDED_SAMPLE - 1))


def scrape(
    pods: Sequence[PodView], metric: str, now: float, young_seconds: float, chance: random.Random
) -> float | None:
    """Returns the fleet's total by its sample; None if there are no pods, or too few answer.

    Args:
        pods: All that exist.
        metric: What to ask for.
        now: Seconds.
        young_seconds: Pods younger than this are asked last.
        chance: Draws the sample.
    """
    ready = [pod for pod in pods if pod.ready and not pod.terminating]
    wanted = sample_size(len(ready))
    order = _order(ready, wanted, now - young_seconds, chance)
    values = [pod.metrics[metric] for pod in order if metric in pod.metrics][:wanted]
    if not ready or len(values) < wanted:
        return None
    return sum(values) / wanted * len(ready)


def _order(
    pods: Sequence[PodView], wanted: int, born_by: float, chance: random.Random
) -> list[PodView]:
    old = [pod for pod in pods if pod.created <= born_by]
    young = [pod for pod in pods if pod.created > born_by]
    chance.shuffle(young if len(old) < wanted else old)
    return old + young
