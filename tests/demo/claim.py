"""A claim as a value: its checks in words, its figures, or why it could not be shown."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Figure = float | int | str | None


class NotShownError(Exception):
    """The recording cannot show a claim either way; the message is the reason."""


@dataclass(frozen=True)
class Check:
    """One demand of a claim, in words with its numbers, and whether it is met."""

    held: bool
    words: str


@dataclass(frozen=True)
class Claim:
    """A claim with what it rests on. `held` is None where it could not be shown."""

    name: str
    checks: Sequence[Check] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)
    not_shown: str = ""

    @property
    def held(self) -> bool | None:
        """True, False, or None for "not shown"."""
        if self.not_shown:
            return None
        return bool(self.checks) and all(check.held for check in self.checks)


Findings = tuple[list[Check], dict[str, Figure]]


def gap_check(times: Sequence[float], longest_seconds: float) -> Check:
    """That the readings at these times leave no hole in which anything could have happened."""
    gap = max((b - a for a, b in itertools.pairwise(times)), default=float("inf"))
    return Check(gap <= longest_seconds, f"longest hole in the recording: {gap:.1f} s")


def listed(values: Iterable[object]) -> str:
    """The values in order, as a sentence can hold them."""
    return ", ".join(sorted(map(str, values))) or "none"
