"""Why the engine ended, by what it wrote, in words for somebody with one machine. Pure."""

from collections.abc import Mapping

from vibethinker_doctor.engine_facts import read_engine_facts
from vibethinker_doctor.finding import Severity
from vibethinker_doctor.last_words import find_last_words
from vibethinker_doctor.wording import tell_on_machine


def explain_failure(log: str, settings: Mapping[str, object]) -> str | None:
    """Returns what the failure is that `log` tells of, and what to do; None: it is not known.

    Args:
        log: what the server wrote.
        settings: those of the engine, as VIBETHINKER_ENGINE carries them.
    """
    found = find_last_words(log, read_engine_facts(settings))
    errors = (finding for finding in found if finding.severity is Severity.ERROR)
    return next((tell_on_machine(finding) for finding in errors), None)


def last_lines(log: str, count: int = 15) -> str:
    """Returns the end of a log, indented."""
    return "\n".join(f"    {line}" for line in log.splitlines()[-count:])
