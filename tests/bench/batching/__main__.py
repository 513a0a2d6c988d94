"""Does it help to hold requests back, so that they begin together?

    python -m tests.bench.batching   real vLLM on CPU; writes build/bench/batching.json

The same arrivals, drawn once for each load, are sent with and without a window in which requests
are gathered, in turn. vLLM lets requests join at every step; a window can only make up for what
that costs.
"""

import asyncio
import json
import random
import sys
import tempfile
from pathlib import Path

import aiohttp

from tests.bench.batching.figures import Answer, compare
from tests.bench.batching.gathering import release_times, send_all
from tests.cluster.progress import say, step
from tests.e2e.engine_process import EngineProcess
from tests.e2e.real_engine import SMALL_POLICY, running_vllm, start_phases

OUT = Path("build/bench/batching.json")
# Half a second is what the mission allows.
WINDOWS = (0.0, 0.1, 0.5)
# Of requests a second: about a fifth of what two cores without a GPU serve, most of it, and more.
LOADS = {"light": 1.0, "busy": 4.0, "beyond": 12.0}
SECONDS = 20.0
ROUNDS = 2
SEED = 20261124
# Nothing here measures admission: everybody is let in, and may wait.
POLICY = SMALL_POLICY | {"overload": {"policy": "ScaleOut", "maxQueuedRequests": 10_000}}


def main() -> int:
    """Measures every load under every window; exit status 0 once there are figures."""
    result = {}
    with (
        tempfile.TemporaryDirectory(prefix="vibethinker-bench-") as temporary,
        running_vllm(Path(temporary)) as engine,
    ):
        with step("start the engine"):
            start_phases(engine)
        for name, rate in LOADS.items():
            with step(f"{name}: {rate:g} requests a second, each window {ROUNDS} times"):
                result[name] = compare(measure(engine, rate))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, windows in result.items():
        for window, figures in windows.items():
            say(f"{name}, window {window} s: {json.dumps(figures)}")
    return 0


def measure(engine: EngineProcess, rate: float) -> dict[float, list[Answer]]:
    """Returns the answers under each window to the same arrivals at `rate` a second."""
    drawn = random.Random(SEED)  # noqa: S311 (arrivals, nothing secret)
    answers: dict[float, list[Answer]] = {window: [] for window in WINDOWS}
    for _ in range(ROUNDS):
        arrivals = draw_arrivals(drawn, rate)
        for window in WINDOWS:
            engine.sweep(POLICY)
            answers[window] += asyncio.run(ask(engine, arrivals, window))
    return answers


def draw_arrivals(drawn: random.Random, rate: float) -> list[float]:
    """Returns the seconds of arrivals of a Poisson process within SECONDS."""
    arrivals, now = [], drawn.expovariate(rate)
    while now < SECONDS:
        arrivals.append(now)
        now += drawn.expovariate(rate)
    return arrivals


async def ask(engine: EngineProcess, arrivals: list[float], window: float) -> list[Answer]:
    """Sends one request for each arrival, held back by the window."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=300)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        releases = release_times(arrivals, window)
        return await send_all(session, engine.url("/v1/completions"), arrivals, releases)


if __name__ == "__main__":
    sys.exit(main())
