"""One arm: a server, known sessions, a calm, a storm of newcomers, and what was written down."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import httpx

from tests.bench.protect.crowd import Asked, Crowd, begin_sessions
from tests.bench.protect.figures import Preemption, Window
from tests.bench.protect.settings import (
    CALM_NEWCOMERS_PER_SECOND,
    CALM_SECONDS,
    NEWCOMERS_PER_SECOND,
    REST_SECONDS,
    STORM_SECONDS,
    engine_settings,
    policy,
)
from tests.cluster.images import engine_site
from tests.e2e.engine_process import SERVER, EngineProcess, package_site
from tests.e2e.real_engine import READY_SECONDS, start_limited_engine

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Records:
    """All that was written down of one storm."""

    asked: list[Asked]
    preemptions: list[Preemption]
    ratios: list[tuple[float, float]]
    calm: Window
    storm: Window


@contextmanager
def running(*, ours: bool, flags: tuple[str, ...] = ()) -> Iterator[tuple[EngineProcess, Path]]:
    """Starts one server and yields it once it answers, with the directory of its probe."""
    with tempfile.TemporaryDirectory(prefix="vibethinker-bench-") as temporary:
        directory = Path(temporary)
        (directory / "site").mkdir()
        # Without our entry points vLLM finds no plugin of ours.
        package = package_site(directory / "site") if ours else SERVER
        main = None if ours else [str(HERE / "plain_engine.py"), *flags]
        with start_limited_engine(
            directory,
            pythonpath=[HERE / "probe", package, engine_site()],
            settings=engine_settings(),
            environment={"VIBETHINKER_CPUS": "2", "PROBE": str(directory)},
            main=main,
            policy=policy(75),
        ) as engine:
            engine.wait_for(lambda: serves(engine), READY_SECONDS)
            yield engine, directory


def serves(engine: EngineProcess) -> bool:
    """Tells whether a request of one token is answered."""
    body = {"model": engine_settings()["servedName"], "prompt": "1", "max_tokens": 1}
    try:
        return engine.client.post(engine.url("/v1/completions"), json=body).status_code == 200
    except httpx.TransportError:
        return False


def storm_over(engine: EngineProcess, probe: Path) -> Records:
    """Lets known sessions talk in calm and then newcomers storm; returns what was written down."""
    began = time.monotonic()
    asked, calm, storm = asyncio.run(_let_come(engine.url("/v1/completions")))
    written = [line for line in _read(probe) if line["at"] >= began]
    return Records(
        asked,
        [Preemption(line["at"], line["preempted"]) for line in written if "preempted" in line],
        [(line["at"], line["ratio"]) for line in written if line.get("ratio") is not None],
        calm,
        storm,
    )


async def _let_come(url: str) -> tuple[list[Asked], Window, Window]:
    timeout = aiohttp.ClientTimeout(total=120)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        crowd = Crowd(session, url)
        talking = await begin_sessions(crowd)
        calm = time.monotonic()
        await crowd.newcomers(CALM_SECONDS, CALM_NEWCOMERS_PER_SECOND)
        middle = time.monotonic()
        await crowd.newcomers(STORM_SECONDS, NEWCOMERS_PER_SECOND)
        end = time.monotonic()
        await crowd.leave()
        crowd.stop()
        await asyncio.gather(*talking)
        await asyncio.sleep(REST_SECONDS)
    return crowd.asked, Window(calm, middle), Window(middle, end)


def _read(probe: Path) -> list[dict[str, Any]]:
    lines = []
    for file in sorted(probe.glob("probe-*.jsonl")):
        text = file.read_text(encoding="utf-8").splitlines()
        lines += [json.loads(line) for line in text if line.endswith("}")]
    return sorted(lines, key=lambda line: float(line["at"]))
