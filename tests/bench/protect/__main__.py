"""Are known sessions safe from a crowd of newcomers? With us, with vLLM's own limit, with nothing.

    python -m tests.bench.protect   real vLLM on CPU; writes build/bench/protect.json

Each arm is the same engine with the same pool and 12 known sessions that talk without a pause;
newcomers come at 5 a second, for which there is room, and then at 22 for 25 seconds. Preemptions
are read in the engine's process, by request id.
"""

import json
import sys
from typing import Any

from tests.bench.protect.arms import Records, running, storm_over
from tests.bench.protect.figures import Contestant, first_step_after_sustained, judge
from tests.bench.protect.settings import (
    LINE_OF_POOL,
    OUT,
    POOL_TOKENS,
    QUEUE_LIMIT,
    SUSTAINED_SECONDS,
    policy,
)
from tests.cluster.progress import say, step
from tests.e2e.engine_process import EngineProcess, values
from tests.e2e.real_engine import BYTES_PER_TOKEN, LIMIT_BYTES

RATIO = "vibethinker_memory_used_ratio"
# The least that shows that there was a load to be protected from.
FEWEST_PREEMPTIONS = 5


def main() -> int:
    """Measures all arms; exit status 0 if the control arms showed a load worth the name."""
    result: dict[str, Any] = measure_ours()
    flags = ("--max-num-queued-reqs", str(QUEUE_LIMIT))
    show(result)
    for name, given in {"vllm_queue_limit": flags, "nothing": ()}.items():
        with step(f"{name}: start and storm"), running(ours=False, flags=given) as (engine, probe):
            result[name] = summarize(storm_over(engine, probe)).render()
        show({name: result[name]})
    preempted = {name: result[name]["known_sessions_preempted"] for name in result}
    result["is_load_enough"] = preempted["nothing"] >= FEWEST_PREEMPTIONS
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if result["is_load_enough"] else 1


def show(result: dict[str, Any]) -> None:
    """Prints each contestant's figures on a line."""
    for name, figures in result.items():
        say(f"{name}: {json.dumps(figures)}")


def measure_ours() -> dict[str, Any]:
    """Storms twice over our server: by the memory line alone, then with all rules."""
    with step("ours: start"), running(ours=True) as (engine, probe):
        (probe / "line-only").touch()
        line = draw_line(engine)
        with step("ours, memory line alone: storm"):
            alone = storm_over(engine, probe)
        (probe / "line-only").unlink()
        draw_line(engine)
        with step("ours, all rules: storm"):
            everything = storm_over(engine, probe)
    figures = summarize(everything).render()
    figures["first_429_ms"] = first_429(alone, line / 100)
    figures["first_429_ms_headroom"] = first_headroom(everything)
    return {"ours": figures, "ours_memory_line_alone": summarize(alone).render()}


def draw_line(engine: EngineProcess) -> int:
    """Puts the line where so much of the pool is in use beside all else; returns its percentage.

    Anew for each storm: the engine's processes grow with what they have done.
    """
    idle = values(engine.sweep(policy(75)))
    if RATIO not in idle:
        raise SystemExit("memory is unknown: this machine lets nobody make a cgroup with a limit")
    pool = POOL_TOKENS * BYTES_PER_TOKEN / LIMIT_BYTES
    line = round(100 * (idle[RATIO] + LINE_OF_POOL * pool))
    say(f"the line lies at {line} % of the engine's memory")
    engine.sweep(policy(line), growth="CannotGrow", ttlSeconds=600)
    return line


def summarize(records: Records) -> Contestant:
    """Returns the figures of one storm."""
    return judge(records.asked, records.preemptions, records.calm, records.storm)


def first_429(records: Records, line: float) -> float | None:
    """Returns the milliseconds from the step that completed sustainedSeconds to the first 429."""
    due = first_step_after_sustained(records.ratios, line, SUSTAINED_SECONDS)
    answered = [
        one.answered
        for one in records.asked
        if one.reason == "memory_line" and one.answered is not None
    ]
    return None if due is None or not answered else (min(answered) - due) * 1000


def first_headroom(records: Records) -> float | None:
    """Returns the milliseconds that the first refusal took: of whoever would not have fitted."""
    refused = [one for one in records.asked if one.reason == "kv_headroom" and one.answered]
    first = min(refused, key=lambda one: one.sent, default=None)
    return None if first is None or first.answered is None else (first.answered - first.sent) * 1000


if __name__ == "__main__":
    sys.exit(main())
