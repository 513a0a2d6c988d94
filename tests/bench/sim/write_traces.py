"""Writes the simulator's traces from the public ones. Run by hand, when they change.

python -m tests.bench.sim.write_traces AzureLLMInferenceTrace_conv.csv.gz deepseek-r1.tar.gz
"""

import ast
import csv
import gzip
import io
import json
import sys
import tarfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from vibethinker_simulator.builtin_traces import AZURE_CONV
from vibethinker_simulator.servegen import DATA
from vibethinker_simulator.trace_file import COLUMNS

QUANTILES: Final = 64
"""Steps of a distribution of lengths that are kept."""


def main(azure: Path, servegen: Path) -> None:
    """Writes both files."""
    AZURE_CONV.parent.mkdir(exist_ok=True)
    _write(AZURE_CONV, render_azure(azure))
    with tarfile.open(servegen) as archive:
        clients = list(condense_clients(archive))
    _write(DATA, json.dumps({"clients": clients}, separators=(",", ":")))


def render_azure(path: Path) -> str:
    """Returns Azure's trace in the simulator's columns, times in seconds from its start."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    first: datetime | None = None
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["TIMESTAMP"][:26])
            first = first or at
            seconds = (at - first).total_seconds()
            writer.writerow([f"{seconds:.3f}", row["ContextTokens"], row["GeneratedTokens"]])
    return text.getvalue()


def condense_clients(archive: tarfile.TarFile) -> Iterator[dict[str, Any]]:
    """Yields each client's rates, their variation, and the quantiles of its lengths."""
    for name in sorted(n for n in archive.getnames() if n.endswith("-trace.csv")):
        rates = [
            [int(start), round(float(rate), 6), round(float(variation), 3)]
            for start, rate, variation, *_ in csv.reader(_read(archive, name).splitlines())
            if float(rate) > 0
        ]
        dataset = json.loads(_read(archive, name.replace("-trace.csv", "-dataset.json")))
        lengths = {
            start: [_quantiles(laws[column]) for column in ("input_tokens", "output_tokens")]
            for start, laws in dataset.items()
        }
        yield {"rates": rates, "lengths": lengths}


def _quantiles(text: str) -> list[int]:
    law: Mapping[int, float] = ast.literal_eval(text)
    values, total, so_far = sorted(law), sum(law.values()), 0.0
    if not values:
        return []
    kept, place = [], 0
    for value in values:
        so_far += law[value] / total
        while place <= QUANTILES and so_far >= place / QUANTILES - 1e-9:
            kept.append(int(value))
            place += 1
    return kept + [int(values[-1])] * (QUANTILES + 1 - len(kept))


def _read(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(name)
    if member is None:
        raise OSError(f"{name} in the archive is no file")
    return member.read().decode("utf-8")


def _write(path: Path, text: str) -> None:
    # No time in the header: the same text gives the same bytes.
    path.write_bytes(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
