"""Everything that was looked at, in the order of the check, and what it comes to. Pure."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from vibethinker_doctor.answer import Answer, Verdict
from vibethinker_doctor.finding import Finding, Severity

HEALTHY, FINDINGS, COULD_NOT_LOOK = 0, 1, 2
"""Exit statuses."""

MARKS = {Verdict.OK: "ok", Verdict.FINDING: "FOUND", Verdict.UNKNOWN: "unknown"}

Name = Callable[[Finding], str | None]
"""How a change is named: in the resource, or on a command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found of one engine or one fleet.

    Attributes:
        subject: what was looked at.
        path: the answers to the four questions.
        last_words: what logs and termination messages tell.
        cluster: what Kubernetes says; empty beside an engine.
        arithmetic: whether the device's memory adds up.
        notes: what could not be looked at, and why.
    """

    subject: str
    path: tuple[Answer, ...] = ()
    last_words: tuple[Finding, ...] = ()
    cluster: tuple[Finding, ...] = ()
    arithmetic: tuple[Answer, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, each code once: errors before warnings, otherwise in the check's order."""
        asked = [answer.finding for answer in self.path]
        added = [answer.finding for answer in self.arithmetic]
        first: dict[str, Finding] = {}
        for finding in (*asked, *self.last_words, *self.cluster, *added):
            if finding is not None:
                first.setdefault(finding.code, finding)
        return tuple(sorted(first.values(), key=lambda one: one.severity is Severity.WARNING))

    @property
    def looked(self) -> bool:
        """Whether an engine was seen: without its pool, that nothing was found means nothing."""
        return bool(self.path) and self.path[0].verdict is not Verdict.UNKNOWN

    @property
    def status(self) -> int:
        """The exit status."""
        if self.findings:
            return FINDINGS
        return HEALTHY if self.looked else COULD_NOT_LOOK


def render_text(examination: Examination, name_change: Name) -> str:
    """Returns the examination for people; `name_change` says where a change is written."""
    return "\n".join(_lines(examination, name_change)) + "\n"


def render_json(examination: Examination) -> str:
    """Returns the examination for programs."""
    return json.dumps(
        {
            "subject": examination.subject,
            "status": examination.status,
            "path": [_answer(answer) for answer in examination.path],
            "arithmetic": [_answer(answer) for answer in examination.arithmetic],
            "findings": [asdict(finding) for finding in examination.findings],
            "notes": list(examination.notes),
        },
        ensure_ascii=False,
        indent=2,
    )


def _answer(answer: Answer) -> dict[str, str | None]:
    return {
        "question": answer.question,
        "verdict": answer.verdict.value,
        "evidence": answer.evidence,
        "finding": answer.finding.code if answer.finding else None,
    }


def _lines(examination: Examination, name_change: Name) -> Iterator[str]:
    yield examination.subject
    for answer in (*examination.path, *examination.arithmetic):
        yield f"  {MARKS[answer.verdict]:8} {answer.question}"
        yield f"           {answer.evidence}"
    for note in examination.notes:
        yield f"  note     {note}"
    findings = examination.findings
    if not findings:
        yield f"  {_tell_nothing(examination)}"
    for number, finding in enumerate(findings, 1):
        yield from _finding_lines(number, finding, name_change(finding))


def _tell_nothing(examination: Examination) -> str:
    if not examination.looked:
        return "nothing was found, but no engine could be looked at"
    answers = (*examination.path, *examination.arithmetic)
    open_ = sum(answer.verdict is Verdict.UNKNOWN for answer in answers)
    return f"nothing was found; {open_} questions are open" if open_ else "nothing is wrong"


def _finding_lines(number: int, finding: Finding, change: str | None) -> Iterator[str]:
    yield ""
    yield f"{number}. {finding.code} ({finding.severity.value}): {finding.cause}"
    yield f"   evidence: {finding.evidence}"
    yield f"   remedy:   {finding.remedy}"
    if change is not None:
        yield f"   change:   {change}"
