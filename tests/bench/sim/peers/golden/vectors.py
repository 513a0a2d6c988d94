"""What the real autoscalers answered, as it is kept: a life a line, compressed."""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
PROGRAMS: Final = ("kubernetes", "knative")
COUNT: Final = 10_000
"""Vectors of each."""


def kept_file(program: str) -> Path:
    """Returns where the vectors of one program are."""
    return FOLDER / f"{program}.jsonl.xz"


def read_lives(program: str) -> Iterator[dict[str, Any]]:
    """Yields the lives of one program: `settings`, and `turns` of input and answer."""
    with lzma.open(kept_file(program), "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
