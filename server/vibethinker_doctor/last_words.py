"""What an engine's log says of its end: findings, the root cause before what followed. Pure.

The last line of a failed start is mostly "Engine core initialization failed. See root cause above",
which helps nobody: it is never a finding of its own, and what stands above it is looked for.
"""

import re
from collections.abc import Iterable, Iterator

from vibethinker_doctor.engine_facts import NOTHING_KNOWN, EngineFacts
from vibethinker_doctor.finding import Finding
from vibethinker_doctor.machine_words import MACHINE_WORDS
from vibethinker_doctor.memory_words import MEMORY_WORDS
from vibethinker_doctor.settings_words import PASSING_WORDS, SETTINGS_WORDS
from vibethinker_doctor.words import Change, Word, clip, plain

KILLED = Word(
    code="EngineProcessKilled",
    # -9 is SIGKILL as Python gives an exit code.
    pattern=re.compile(r"Failed core proc\(s\): \{[^}]*: -9\b"),
    explain=plain(
        "a process of the engine was killed from outside (SIGKILL), as the kernel does where the"
        " memory limit is reached",
        "give the engine more memory, or make its KV cache smaller",
        Change("resources.limits.memory"),
    ),
)

WORDS: tuple[Word, ...] = (
    *SETTINGS_WORDS,
    *MEMORY_WORDS,
    *MACHINE_WORDS,
    KILLED,
    *PASSING_WORDS,
)
"""Every text, the most specific first."""

LINE_LIMIT = 4000
"""Characters of a line that are searched: a line without end would cost its square in time."""

CONSEQUENCES = (
    "Engine core initialization failed. See root cause above.",
    "EngineCore failed to start.",
    "EngineCore encountered a fatal error.",
    "EngineCore encountered an issue. See stack trace (above)",
)
"""What an engine says after its cause, whatever that was."""

EXCEPTION = re.compile(r"(?:^|\s)(?:[a-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt)\b: \S")
"""The last line of a traceback, behind whatever the logger put in front of it."""


def find_last_words(log: str, engine: EngineFacts = NOTHING_KNOWN) -> tuple[Finding, ...]:
    """Returns what `log` tells, each code once and the most specific first; never raises.

    Args:
        log: text of a log, or the end of one.
        engine: what the engine was told; some values are computed from it.
    """
    lines = [line[:LINE_LIMIT] for line in log.splitlines()]
    # The word's place in the table outranks the line's place in the log: a consequence may be
    # written first, by another process.
    ranked = sorted(_match(lines, engine), key=lambda found: found[0])
    findings: dict[str, Finding] = {}
    for _, finding in ranked:
        findings.setdefault(finding.code, finding)
    if findings:
        return tuple(findings.values())
    unknown = _find_unknown(lines)
    return () if unknown is None else (unknown,)


def rank_of(code: str) -> int:
    """Returns the place of a finding's code in the order; smaller is more specific."""
    ranks = (rank for rank, word in enumerate(WORDS) if code in (word.code, *word.other_codes))
    return next(ranks, len(WORDS))


def _match(lines: Iterable[str], engine: EngineFacts) -> Iterator[tuple[int, Finding]]:
    for line in lines:
        for rank, word in enumerate(WORDS):
            finding = word.find(line, engine)
            if finding is not None:
                yield rank, finding
                break


def _find_unknown(lines: list[str]) -> Finding | None:
    """Returns the error above the engine's own "see above", where nothing here knows it."""
    ends = [n for n, line in enumerate(lines) if any(text in line for text in CONSEQUENCES)]
    if not ends:
        return None
    errors = [line for line in lines if EXCEPTION.search(line) and not _is_consequence(line)]
    if not errors:
        return None
    return Finding(
        code="EngineFailed",
        cause="the engine ended by an error that this doctor does not know",
        evidence=clip(errors[0]),
        remedy="read the log from that line upwards",
    )


def _is_consequence(line: str) -> bool:
    return any(text in line for text in CONSEQUENCES)
