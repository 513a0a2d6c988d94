"""A resource on a trace beside a changed one: what a person asks before a fleet is let near GPUs.

Nothing that comes from here is measured, and its title says so.
"""

from vibethinker_simulator.blueprint import BlueprintError
from vibethinker_simulator.builtin_traces import NAMES, find_trace
from vibethinker_simulator.rehearsal.comparison import (
    Comparison,
    NamedResource,
    Question,
    rehearse,
)
from vibethinker_simulator.rehearsal.document import render_json
from vibethinker_simulator.rehearsal.picture import save_picture
from vibethinker_simulator.rehearsal.rows import list_rows
from vibethinker_simulator.rehearsal.text import list_changes, list_facts, render_text
from vibethinker_simulator.trace import superpose
from vibethinker_simulator.trace_file import TraceError

__all__ = [
    "NAMES",
    "BlueprintError",
    "Comparison",
    "NamedResource",
    "Question",
    "TraceError",
    "find_trace",
    "list_changes",
    "list_facts",
    "list_rows",
    "rehearse",
    "render_json",
    "render_text",
    "save_picture",
    "superpose",
]
