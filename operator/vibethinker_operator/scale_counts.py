"""How often a fleet's size was changed, and how often the change turned back. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScaleCounts:
    """What was written since this process first saw the fleet; a restart counts anew.

    Attributes:
        outward: Steps to more replicas.
        inward: Steps to fewer.
        reversals: Steps in the other direction than the one before.
        last_outward: Direction of the last step; None before the first.
    """

    outward: int = 0
    inward: int = 0
    reversals: int = 0
    last_outward: bool | None = None

    def add(self, current: int, replicas: int) -> "ScaleCounts":
        """Returns the counts after one more step."""
        outward = replicas > current
        reversed_ = self.last_outward is not None and outward is not self.last_outward
        return ScaleCounts(
            outward=self.outward + outward,
            inward=self.inward + (not outward),
            reversals=self.reversals + reversed_,
            last_outward=outward,
        )
