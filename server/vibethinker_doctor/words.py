"""One text that an engine ends with, and what it means. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from vibethinker_doctor.engine_facts import EngineFacts
from vibethinker_doctor.finding import Finding, Severity, Value

Said = re.Match[str]


@dataclass(frozen=True, slots=True)
class Change:
    """A field of the resource, and its new value where the text tells one."""

    field: str | None = None
    value: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a text turned out to mean.

    Attributes:
        cause: what was found.
        remedy: what to do.
        change: which field to change, and to what.
        code: another word than that of the text, where its numbers make a difference.
    """

    cause: str
    remedy: str
    change: Change = Change()
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A text, as vLLM 0.32 and 0.33, torch or the system spell it.

    Attributes:
        code: what it means, in one word.
        other_codes: words that its numbers may turn that into.
        pattern: the text, searched for in each line.
        explain: what it means, from its numbers and the engine's settings; None: nothing here.
        severity: how bad it is.
    """

    code: str
    other_codes: tuple[str, ...] = ()
    pattern: re.Pattern[str]
    explain: Callable[[Said, EngineFacts], Meaning | None]
    severity: Severity = Severity.ERROR

    def find(self, line: str, engine: EngineFacts) -> Finding | None:
        """Returns what this text in `line` tells; None where it is not there."""
        said = self.pattern.search(line)
        meaning = self.explain(said, engine) if said else None
        if meaning is None:
            return None
        return Finding(
            code=meaning.code or self.code,
            cause=meaning.cause,
            evidence=clip(line),
            remedy=meaning.remedy,
            field=meaning.change.field,
            value=meaning.change.value,
            severity=self.severity,
        )


EVIDENCE_LIMIT = 600
"""Characters of a line that are kept: a condition and a termination message must hold it."""


def clip(line: str) -> str:
    """Returns a line of a log without its margins, shortened."""
    # What follows there is pydantic's: a glimpse of every setting.
    line = line.partition(" [type=value_error")[0].strip()
    return line if len(line) <= EVIDENCE_LIMIT else f"{line[: EVIDENCE_LIMIT - 1]}…"


def plain(cause: str, remedy: str, change: Change = Change()) -> Callable[..., Meaning]:
    """Returns an explanation that needs no numbers."""
    meaning = Meaning(cause=cause, remedy=remedy, change=change)
    return lambda _said, _engine: meaning
