"""Python runs this file before anything else where its directory is on PYTHONPATH.

It makes reading the engine's statistics fail inside our stat logger for as long as the file that
SABOTAGE_FILE names exists: what a new vLLM that renames an attribute would do, at a chosen moment.
"""

import os
from pathlib import Path
from typing import Any

from vibethinker_server import engine_stats

read_scheduler = engine_stats.read_scheduler


def read_or_fail(stats: Any) -> Any:
    """Reads as the product does, unless it is told to fail."""
    if Path(os.environ["SABOTAGE_FILE"]).exists():
        raise ZeroDivisionError("sabotage")
    return read_scheduler(stats)


engine_stats.read_scheduler = read_or_fail
