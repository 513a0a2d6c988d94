"""One thing that is wrong: what, by which evidence, and what to change."""

from dataclasses import dataclass
from enum import StrEnum

Value = int | str


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "Error"
    """Nobody is served, or somebody is cut."""
    WARNING = "Warning"
    """It serves, and may not for long, or not as well as it could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found.

    Attributes:
        code: one CamelCase word for programs; `meanings` explains it.
        cause: what was found, as a clause without a full stop.
        evidence: the exact line or figures that tell it.
        remedy: what to do, likewise a clause; it does not name the field.
        field: field of the resource to change, its path below `spec`; None: no field mends it.
        value: what to set the field to; None: the evidence does not say how far.
        severity: how bad it is.
    """

    code: str
    cause: str
    evidence: str
    remedy: str
    field: str | None = None
    value: Value | None = None
    severity: Severity = Severity.ERROR
