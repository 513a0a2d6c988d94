"""One question of the path, and its answer."""

from dataclasses import dataclass
from enum import StrEnum

from vibethinker_doctor.finding import Finding


class Verdict(StrEnum):
    """What a question came to."""

    OK = "Ok"
    FINDING = "Finding"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a question came to, and by which evidence.

    Attributes:
        question: the question, for people.
        verdict: what it came to.
        evidence: the figures; where unknown, what would have to be there.
        finding: what is wrong; None unless the verdict is Finding.
    """

    question: str
    verdict: Verdict
    evidence: str
    finding: Finding | None = None


def ok(question: str, evidence: str) -> Answer:
    """Returns that nothing is wrong there."""
    return Answer(question=question, verdict=Verdict.OK, evidence=evidence)


def unknown(question: str, needed: str) -> Answer:
    """Returns that it cannot be told, and what would be `needed`."""
    return Answer(question=question, verdict=Verdict.UNKNOWN, evidence=needed)


def found(question: str, finding: Finding) -> Answer:
    """Returns what is wrong there."""
    return Answer(
        question=question, verdict=Verdict.FINDING, evidence=finding.evidence, finding=finding
    )
