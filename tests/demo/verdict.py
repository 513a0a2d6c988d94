"""What the demo says at its end: a line per claim, the figures, result.json, the exit status.

python -m tests.demo.verdict build/demo     judges a recording that is already there
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.demo.claim import Claim
from tests.demo.claims import judge
from tests.demo.figures import measure_memory_pair, measure_traffic
from tests.demo.floors import FLOORS
from tests.demo.recording import Recording
from tests.demo.rows import Request, Sample, read_rows

HELD, FAILED, NOT_SHOWN = 0, 1, 2
_WORDS = {True: "held", False: "FAILED", None: "not shown"}


def conclude(directory: Path, run: Mapping[str, Any] | None = None) -> int:
    """Judge a directory's recordings, print the verdict, write result.json; the exit status.

    Args:
        directory: holds samples.csv and requests.csv; result.json goes there too.
        run: facts about the run that the recordings do not hold, such as its minutes.
    """
    samples = read_rows(directory / "samples.csv", Sample)
    requests = read_rows(directory / "requests.csv", Request)
    claims = judge(samples, requests)
    recording = Recording(samples, requests)
    figures = {
        **{claim.name: dict(claim.figures) for claim in claims},
        "memory_pair": measure_memory_pair(recording, FLOORS),
        "traffic": measure_traffic(recording),
        "run": dict(run or {}),
    }
    result = build_result(claims, figures)
    (directory / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print("\n".join(render_verdict(claims, figures)), flush=True)
    return exit_status(claims)


def build_result(claims: Sequence[Claim], figures: Mapping[str, Any]) -> dict[str, Any]:
    """The content of result.json: a claim is true only if it was shown and held."""
    return {
        "claims": {claim.name: claim.held is True for claim in claims},
        "not_shown": {claim.name: claim.not_shown for claim in claims if claim.not_shown},
        "checks": {claim.name: [asdict(check) for check in claim.checks] for claim in claims},
        "figures": dict(figures),
    }


def exit_status(claims: Sequence[Claim]) -> int:
    """0 if every claim held, 1 if one failed, 2 if one could not be shown."""
    verdicts = {claim.held for claim in claims}
    if False in verdicts:
        return FAILED
    return NOT_SHOWN if None in verdicts or not claims else HELD


def render_verdict(claims: Sequence[Claim], figures: Mapping[str, Any]) -> list[str]:
    """The lines that a person reads at the end."""
    lines = ["", "Verdict (computed from samples.csv and requests.csv alone)"]
    for claim in claims:
        lines.append(f"  {_WORDS[claim.held]:<9}  {claim.name}")
        if claim.not_shown:
            lines.append(f"               {claim.not_shown}")
        lines += [
            f"             {'+' if check.held else '-'} {check.words}" for check in claim.checks
        ]
    if pair := figures.get("memory_pair"):
        lines += ["", f"One replica ({pair['pod']})   idle   full   idle again"]
        for kind, name in (("live", "memory_used_ratio"), ("raw", "device_memory_used_ratio")):
            values = "  ".join(f"{pair[f'{when}_{kind}']:.3f}" for when in _MOMENTS)
            lines.append(f"  vibethinker_{name:<26} {values}")
    return lines


_MOMENTS = ("idle", "full", "idle_again")


if __name__ == "__main__":
    sys.exit(conclude(Path(sys.argv[1])))
