"""How many sequences fit a T4's KV pool, paged and contiguous, at the lengths of public traces?

    python -m tests.bench.paged                     the tables in lengths/
    python -m tests.bench.paged TRACE               a trace itself: Azure's .csv or .csv.gz, or
                                                    ServeGen's folder of one model as .tar.gz
    python -m tests.bench.paged TRACE --table NAME  also writes its table to lengths/NAME.csv

Writes build/bench/paged.json. Computed, nothing is measured: lengths and the operator's own
arithmetic are all that goes in.
"""

import argparse
import gzip
import json
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from vibethinker_operator.api import Gpu, Spec
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.kv import assess_capacity

from tests.bench.paged.lengths import Request, group, parse_azure, parse_table, render_table
from tests.bench.paged.packing import Pool, compare
from tests.bench.paged.servegen import read_servegen
from tests.bench.paged.sources import SOURCES
from tests.cluster.progress import say

OUT = Path("build/bench/paged.json")
TABLES = Path(__file__).parent / "lengths"
CARD: Final = "Tesla-T4"
CAPS: Final = (256, 512, 768, 2048, 3072)
"""Of both presets of spec.tokenLimits, at a length of 4096."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the figures; exits with 2 for a trace that cannot be read, else returns 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.paged")
    parser.add_argument("trace", nargs="?", type=Path)
    parser.add_argument("--table", choices=SOURCES, help="write the trace's table of lengths")
    options = parser.parse_args(arguments)
    try:
        traces = read_tables() if options.trace is None else {"trace": read_trace(options.trace)}
    except (OSError, ValueError, KeyError, tarfile.TarError) as error:
        parser.error(f"{options.trace or TABLES}: {error}")
    if options.trace and options.table:
        write_table(options.table, traces["trace"])
    result = measure(traces)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, by_cap in result["traces"].items():
        for cap, figures in by_cap.items():
            say(f"{name}, answers of at most {cap}: {json.dumps(figures)}")
    return 0


def measure(traces: dict[str, list[Request]]) -> dict[str, Any]:
    """Returns the figures of each trace under each cap, in the pool of a T4 at the defaults."""
    pool = pool_of_card()
    return {
        "card": CARD,
        "pool_tokens": pool.tokens,
        "traces": {
            name: {str(cap): compare(requests, pool, cap) for cap in CAPS}
            for name, requests in traces.items()
        },
    }


def pool_of_card() -> Pool:
    """Returns the KV pool that `spec: {}` has on CARD."""
    spec = Spec(gpu=Gpu(product=CARD))
    engine, capacity = resolve_engine(spec), assess_capacity(spec)
    assert capacity is not None  # the card's memory is known
    return Pool(
        tokens=capacity.tokens,
        block=engine.block_size,
        max_model_len=engine.max_model_len,
    )


def read_tables() -> dict[str, list[Request]]:
    """Returns the lengths of each trace whose table is kept here, by its name."""
    paths = {name: TABLES / f"{name}.csv" for name in SOURCES}
    return {name: parse_table(path.read_text(encoding="utf-8")) for name, path in paths.items()}


def read_trace(path: Path) -> list[Request]:
    """Returns every request of a trace.

    Raises:
        OSError, tarfile.TarError: it cannot be read.
        ValueError, KeyError: it is no such trace, or an empty one.
    """
    requests = list(read_servegen(path) if path.name.endswith(".tar.gz") else _read_azure(path))
    if not requests:
        raise ValueError("no request is in it")
    return requests


def _read_azure(path: Path) -> Iterator[Request]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from parse_azure(lines)


def write_table(name: str, requests: list[Request]) -> None:
    """Writes the table of lengths that stands for a trace."""
    text = render_table(group(requests), SOURCES[name])
    (TABLES / f"{name}.csv").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
