"""The two recordings of a demo run, row by row: samples.csv and requests.csv.

They are the only thing that `claims` may read, so everything that a claim needs is a column here.
Unknown is an empty cell and None in Python, never 0.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One pod at one moment, beside what its fleet looked like then.

    Times are unix seconds. Ratios go from 0 to 1. A moment without any pod is a row whose `pod`
    is empty. `desired` is the Deployment's `.spec.replicas`; `decision_desired` and the columns
    beside it are the custom resource's `status.decision`.
    """

    time: float
    pod: str
    live: float | None = None
    raw: float | None = None
    kv_use: float | None = None
    queue: int | None = None
    running: int | None = None
    in_flight: int | None = None
    rejected: int | None = None
    ready: bool = False
    draining: bool = False
    drain_since: float | None = None
    waiting: str = ""
    phase: str = ""
    replicas: int | None = None
    ready_replicas: int | None = None
    desired: int | None = None
    max_replicas: int | None = None
    decision_desired: int | None = None
    decision_rule: str = ""
    decision_reason: str = ""
    decision_message: str = ""
    decision_time: float | None = None
    memory_need: int | None = None
    queue_need: int | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request of one turn: a turn that was refused and tried again has several.

    `sent`, `first_byte` and `end` are unix seconds; `first_byte` is the first event of the stream.
    `status` is None where no answer came. `finish_reason` is empty where the stream was cut.
    `known` says that an earlier request of the session had been admitted when this one was sent.
    """

    id: int
    session: str
    turn: int
    known: bool
    pod: str
    sent: float
    first_byte: float | None
    end: float
    status: int | None
    finish_reason: str
    retry_after: str
    attempt: int = 1
    rejected_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    closed: bool = False
    error: str = ""
    phase: str = ""


Row = TypeVar("Row", Sample, Request)
_TRUE, _FALSE = "1", "0"


def _render_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _parse_bool(cell: str) -> bool:
    if cell not in {_TRUE, _FALSE}:
        raise ValueError(f"expected 0 or 1, read {cell!r}")
    return cell == _TRUE


def _optional(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda cell: None if cell == "" else parse(cell)


_PARSERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    bool: _parse_bool,
    int: int,
    float: float,
    int | None: _optional(int),
    float | None: _optional(float),
}


def _parse_cell(kind: Any, column: str, cell: str, where: str) -> Any:
    try:
        return _PARSERS[kind](cell)
    except ValueError as error:
        raise ValueError(f"{where}, column {column}: {error}") from error


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """The rows of one recording.

    Raises:
        ValueError: a column is missing or a cell does not parse; names file, line and column.
    """
    kinds = get_type_hints(kind)
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = set(kinds) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path}: columns missing: {', '.join(sorted(missing))}")
        return [
            kind(
                **{
                    name: _parse_cell(kinds[name], name, cells[name], f"{path}:{line}")
                    for name in kinds
                }
            )
            for line, cells in enumerate(reader, start=2)
        ]


@contextmanager
def open_rows(path: Path, kind: type[Row]) -> Iterator[Callable[[Iterable[Row]], None]]:
    """A function that appends rows to a fresh file; each batch is on disk when it returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(kind))

        def append(rows: Iterable[Row]) -> None:
            writer.writerows([_render_cell(value) for value in astuple(row)] for row in rows)
            file.flush()

        yield append
