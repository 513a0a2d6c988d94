"""Traces from files: CSV of time, prompt and output tokens, plain or gzipped. I/O."""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from vibethinker_simulator.trace import Request, Trace, assign_sessions

COLUMNS: Final = ("time", "prompt_tokens", "output_tokens")
"""Seconds from any start, and tokens. A column `session` may follow: who continues whom."""

ENCODING: Final = "utf-8-sig"
"""UTF-8, with or without the mark that spreadsheets put before it."""

MOST_TOKENS: Final = 10_000_000

MOST_SECONDS: Final = 31 * 86_400.0
"""Longest trace: where times span more, they are in another unit."""


class TraceError(ValueError):
    """A trace cannot be read; the text names file, line and column."""


def read_trace(path: Path) -> Trace:
    """Returns the trace in a file.

    Raises:
        TraceError: the file is not there, or a line of it is wrong.
    """
    try:
        with _open(path) as lines:
            return parse_trace(path.name, lines)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise TraceError(f"{path}: {error}") from error


def parse_trace(name: str, lines: Iterable[str]) -> Trace:
    """Returns the trace in the lines of a CSV.

    Raises:
        TraceError: a column is missing, a line is wrong, or there is none.
    """
    rows = csv.DictReader(lines)
    try:
        return _build_trace(name, rows)
    except csv.Error as error:
        raise TraceError(f"{name}, line {rows.line_num + 1}: {error}") from error


def _build_trace(name: str, rows: "csv.DictReader[str]") -> Trace:
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        wanted = ",".join(COLUMNS)
        raise TraceError(f"{name}: no column {', '.join(missing)}; its first line must be {wanted}")
    parsed = sorted(_parse_rows(name, rows), key=lambda row: row.time)
    if not parsed:
        raise TraceError(f"{name}: no request in it")
    first, last = parsed[0].time, parsed[-1].time
    rows_of = [row._replace(time=row.time - first) for row in parsed]
    if last - first > MOST_SECONDS:
        raise TraceError(
            f"{name}, column time: {(last - first) / 86_400:.3g} days from first to last; times are"
            " in seconds"
        )
    seconds = math.floor(last - first) + 1.0
    if "session" in (rows.fieldnames or ()):
        return Trace(name, _keep_sessions(rows_of), seconds)
    return Trace(name, tuple(assign_sessions(row[:3] for row in rows_of)), seconds)


class _Row(NamedTuple):
    time: float
    prompt_tokens: int
    output_tokens: int
    session: str


def _keep_sessions(rows: list[_Row]) -> tuple[Request, ...]:
    numbers = {label: n for n, label in enumerate(dict.fromkeys(row.session for row in rows))}
    return tuple(Request(*row[:3], numbers[row.session]) for row in rows)


def _parse_rows(name: str, rows: "csv.DictReader[str]") -> Iterator[_Row]:
    for row in rows:
        where = f"{name}, line {rows.line_num}"
        time = _number(where, row, "time")
        prompt = _count(where, row, "prompt_tokens", least=1)
        output = _count(where, row, "output_tokens", least=0)
        yield _Row(time, prompt, max(1, output), row.get("session") or "")


def _count(where: str, row: dict[str, str], column: str, *, least: int) -> int:
    count = _number(where, row, column)
    if not least <= count <= MOST_TOKENS:
        raise TraceError(
            f"{where}, column {column}: {count:g} is not between {least} and {MOST_TOKENS}"
        )
    return int(count)


def _number(where: str, row: dict[str, str], column: str) -> float:
    try:
        number = float(row[column])
    except (TypeError, ValueError):
        raise TraceError(f"{where}, column {column}: {row[column]!r} is no number") from None
    if not math.isfinite(number):
        raise TraceError(f"{where}, column {column}: {row[column]!r} is not finite")
    return number


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding=ENCODING, newline="")
    return path.open(encoding=ENCODING, newline="")
