"""What an alert is: the rule, and the page that a woken person reads."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RUNBOOK_MARKER: Final = "RUNBOOK_BASE_URL"
"""What stands for the address of docs/alerts in the rules file; the chart puts its value there."""

FLEET: Final = "{{ $labels.namespace }}/{{ $labels.name }}"
"""The fleet of an alert, as Prometheus fills it in."""


class Severity(StrEnum):
    """Critical: users are hurt now. Warning: look within the day."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something to type, and why."""

    why: str
    command: str


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert, from which its rule and its runbook are both written.

    Attributes:
        name: Its name.
        severity: Whether it wakes somebody.
        expression: Fires while this has a value.
        threshold: The expression in words, with its figure.
        for_: How long it must hold before it fires.
        keep_firing_for: How long it goes on after it no longer holds; empty: not at all.
        summary: One line, for a phone.
        description: A sentence or two, with the value.
        meaning: What users meet, and what the product does about it by itself.
        look_at: What to look at first, as a list in Markdown.
        act: What to do, as a list in Markdown.
        by_hand: How to take over.
    """

    name: str
    severity: Severity
    expression: str
    threshold: str
    for_: str
    keep_firing_for: str = ""
    summary: str
    description: str
    meaning: str
    look_at: str
    act: str
    by_hand: tuple[Command, ...]

    @property
    def runbook_url(self) -> str:
        """Where its page is, below whatever address the chart puts in for the marker."""
        return f"{RUNBOOK_MARKER}/{self.name}.md"


FREEZE_SIZE: Final = Command(
    why="Set the size yourself; the operator then decides nothing and only keeps it:",
    command="kubectl patch vtd NAME -n NAMESPACE --type merge"
    """ -p '{"spec": {"scaling": {"mode": "Manual"}, "replicas": 3}}'""",
)
RAISE_CEILING: Final = Command(
    why="Let the fleet grow further, where GPUs are free:",
    command="kubectl patch vtd NAME -n NAMESPACE --type merge"
    """ -p '{"spec": {"scaling": {"maxReplicas": 8}}}'""",
)
BACK_TO_AUTO: Final = Command(
    why="Give it back to the operator:",
    command="kubectl patch vtd NAME -n NAMESPACE --type merge"
    """ -p '{"spec": {"scaling": {"mode": "Auto"}}}'""",
)
