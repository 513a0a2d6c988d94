"""Python runs this file before anything else where its directory is on PYTHONPATH.

It breaks our server at moments that a test chooses: while a file of that name lies in SABOTAGE,
- `readings`: reading the engine's statistics fails inside our stat logger, as it would with a new
  vLLM that renames an attribute;
- `caps`: our door writes whatever length a client asks for, as a mistake in it might.
"""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

engine_stats: Any = importlib.import_module("vibethinker_server.engine_stats")
generation: Any = importlib.import_module("vibethinker_server.generation")
read_scheduler, limit_tokens = engine_stats.read_scheduler, generation.limit_tokens


def is_on(what: str) -> bool:
    """Tells whether `what` is to be broken now."""
    return (Path(os.environ["SABOTAGE"]) / what).exists()


def read_or_fail(stats: Any) -> Any:
    """Reads as the product does, unless it is told to fail."""
    if is_on("readings"):
        raise ZeroDivisionError("sabotage")
    return read_scheduler(stats)


def limit_or_not(asked: Sequence[int], cap: int, sequences: int, unasked: int | None) -> Any:
    """Limits as the product does, unless it is told to let a client's length through."""
    most = min(asked) * sequences if is_on("caps") else cap
    return limit_tokens(asked, most, sequences, unasked)


engine_stats.read_scheduler = read_or_fail
generation.limit_tokens = limit_or_not
