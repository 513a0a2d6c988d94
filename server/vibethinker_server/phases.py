"""Where a pod stands between its start and its end. Pure.

How each milestone is noticed: weights by the files in the cache (`weights`), the engine by the
stat logger's `log_engine_initialized`, the answer by a request of one token that the middleware
sends through the whole application before anybody else may.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """The phases, in order."""

    DOWNLOADING_MODEL = "DownloadingModel"
    STARTING_ENGINE = "StartingEngine"
    WARMING_UP = "WarmingUp"
    SERVING = "Serving"
    DRAINING = "Draining"


@dataclass(frozen=True, slots=True)
class Milestones:
    """What has been reached so far."""

    weights_present: bool
    engine_initialized: bool
    answering: bool
    draining: bool


def phase_of(milestones: Milestones) -> Phase:
    """Returns the phase that these milestones mean."""
    if milestones.draining:
        return Phase.DRAINING
    if milestones.answering:
        return Phase.SERVING
    if milestones.engine_initialized:
        return Phase.WARMING_UP
    return Phase.STARTING_ENGINE if milestones.weights_present else Phase.DOWNLOADING_MODEL
