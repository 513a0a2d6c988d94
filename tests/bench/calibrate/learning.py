"""What the operator would learn of the same engine, from the counters that it reads. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from vibethinker_operator.samples import Sample, parse_fleet_page
from vibethinker_operator.step_model import StepFit, StepModel, Work
from vibethinker_operator.windows import NO_WORK, Totals, Windows

from tests.bench.calibrate.fitting import summarize

POD = "under-calibration"


@dataclass(frozen=True)
class Page:
    """The small page as it was read at `time`, in seconds of any clock."""

    time: float
    text: str


def read_works(pages: Iterable[Page]) -> list[tuple[float, Work]]:
    """Returns the seconds since the reading before, and the work done, of each reading."""
    windows, totals, last = Windows(), Totals(), None
    found = []
    for page in pages:
        sample = parse_fleet_page(page.text.encode(), pod_uid=POD, time=page.time)
        if not isinstance(sample, Sample):
            continue
        windows = windows.record([sample], {POD}, page.time)
        newest = windows.readings[POD][-1].totals
        if last is not None:
            found.append((page.time - last, newest.since(totals).work))
        totals, last = newest, page.time
    return found


def learn(works: Iterable[tuple[float, Work]]) -> StepModel | None:
    """Returns what the operator knows after these readings."""
    fit = StepFit()
    for elapsed, work in works:
        kept = [] if work == NO_WORK else [work]
        fit = fit.record(kept, elapsed_seconds=elapsed)
    return fit.solve()


def render(
    model: StepModel | None, works: Sequence[tuple[float, Work]], token_bytes: float
) -> dict[str, Any]:
    """Returns its constants in milliseconds, and how far it is off over the same readings."""
    if model is None:
        return {"learned": False}
    off = [
        _predict(model, work) / work.seconds - 1 for _, work in works if work.seconds and work.steps
    ]
    return {
        "learned": True,
        "step_ms": model.step_seconds * 1e3,
        "prompt_token_ms": model.prompt_token_seconds * 1e3,
        "generated_token_ms": model.generated_token_seconds * 1e3,
        "kv_token_ms": model.kv_byte_seconds * token_bytes * 1e3,
        "residuals": summarize(off).render() if off else None,
    }


def _predict(model: StepModel, work: Work) -> float:
    return (
        model.step_seconds * work.steps
        + model.prompt_token_seconds * work.prompt_tokens
        + model.generated_token_seconds * work.generated_tokens
        + model.kv_byte_seconds * work.kv_bytes
    )
