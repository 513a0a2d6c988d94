"""Lengths from ServeGen's data: each client's rate by ten minutes, its distributions by six hours.

The data has prompts and answers apart. As ServeGen's own generator does, one random number is taken
for both: a request with a long prompt among its client's has a long answer too. Here the number is
not drawn but integrated over, so the result is exact.
"""

import ast
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.bench.paged.lengths import Request

WINDOW_SECONDS: Final = 600
_DISTRIBUTIONS: Final = ("input_tokens", "output_tokens")


def read_servegen(path: Path) -> Iterator[Request]:
    """Yields a day's requests; reads every client's pair of files in the archive.

    Raises:
        OSError, tarfile.TarError: the archive cannot be read.
        ValueError: a client's rates begin before its distributions.
    """
    with tarfile.open(path) as archive:
        names = sorted(name for name in archive.getnames() if name.endswith("-trace.csv"))
        for name in names:
            rates = _read(archive, name)
            lengths = json.loads(_read(archive, name.replace("-trace.csv", "-dataset.json")))
            yield from pair_client(rates, lengths)


def pair_client(rates: str, lengths: Mapping[str, Mapping[str, str]]) -> Iterator[Request]:
    """Yields one client's requests.

    Args:
        rates: lines of `start_s,rate_per_s,…`.
        lengths: by start, `input_tokens` and `output_tokens`, each the text of a Python dict from
            length to probability. They hold until the next start.

    Raises:
        ValueError: rates begin before the distributions.
    """
    weights: dict[str, float] = {}
    for line in rates.splitlines():
        start, rate = line.split(",")[:2]
        if float(rate) > 0:
            key = _window_at(int(start), lengths)
            weights[key] = weights.get(key, 0.0) + float(rate) * WINDOW_SECONDS
    for key, weight in weights.items():
        prompts, answers = (_parse(lengths[key][name]) for name in _DISTRIBUTIONS)
        for share, prompt, answer in couple(prompts, answers):
            yield Request(weight * share, prompt, answer)


def couple(
    prompts: Mapping[int, float], answers: Mapping[int, float]
) -> Iterator[tuple[float, int, int]]:
    """Yields (share, prompt, answer): both distributions run through by the same number of 0 to 1.

    Probabilities are brought to a sum of 1.
    """
    ours, theirs = _cumulate(prompts), _cumulate(answers)
    at, i, j = 0.0, 0, 0
    while i < len(ours) and j < len(theirs):
        end = min(ours[i][0], theirs[j][0])
        if end > at:
            yield end - at, ours[i][1], theirs[j][1]
        at = end
        i += ours[i][0] <= at
        j += theirs[j][0] <= at


def _window_at(start: int, lengths: Iterable[str]) -> str:
    begun = [key for key in lengths if int(key) <= start]
    if not begun:
        raise ValueError(f"no distribution of lengths holds at second {start} of the day")
    return max(begun, key=int)


def _cumulate(shares: Mapping[int, float]) -> list[tuple[float, int]]:
    total, so_far, result = sum(shares.values()), 0.0, []
    for value, share in sorted(shares.items()):
        so_far += share / total
        result.append((so_far, value))
    if result:
        result[-1] = (1.0, result[-1][1])
    return result


def _parse(text: str) -> dict[int, float]:
    try:
        parsed: dict[int, float] = ast.literal_eval(text)
    except SyntaxError as error:
        raise ValueError(f"a distribution is no Python dict: {text[:40]}") from error
    return parsed


def _read(archive: tarfile.TarFile, name: str) -> str:
    member = archive.extractfile(name)
    if member is None:
        raise OSError(f"{name} in the archive is no file")
    return member.read().decode("utf-8")
