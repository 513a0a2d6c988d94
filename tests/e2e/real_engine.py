"""Real vLLM on this machine's CPU behind our `serve`, small: a toy model, half a GiB of KV."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.cluster.images import engine_site
from tests.cluster.model import toy_model
from tests.e2e.arrivals import recorder_environment, recorder_site
from tests.e2e.engine_process import (
    POLICY,
    Backend,
    EngineProcess,
    package_site,
    start_engine,
    values,
)
from tests.support.hostile_requests import SERVED_NAME

SABOTAGE = Path(__file__).parent / "sabotage"
SEATS = 8
POOL_BYTES = 512 * 2**20
# 28 layers, keys and values, 2 heads of 128, 4 bytes: VibeThinker's geometry in Float32.
BYTES_PER_TOKEN = 57_344
# What no answer exceeds. A step takes 15 to 100 ms here, by what else the machine does.
CAP = 512
SMALL_POLICY = {**POLICY, "tokenLimits": {"math": CAP, "qa": 256}}
# What stands for the card: the memory limit of the engine's cgroup.
LIMIT_BYTES = 4 * 2**30
VLLM = Backend("vLLM", BYTES_PER_TOKEN, POOL_BYTES, LIMIT_BYTES)
READY_SECONDS = 400.0


def settings() -> dict[str, Any]:
    """Returns the engine's settings; BFloat16 computes at a tenth of Float32's speed here."""
    return {
        "model": str(toy_model()),
        "source": "Volume",
        "servedName": SERVED_NAME,
        "device": "CPU",
        "dtype": "Float32",
        "blockSize": 32,
        "maxModelLen": 4096,
        "maxNumSeqs": SEATS,
        "maxNumBatchedTokens": 1024,
        "kvCacheMemoryBytes": POOL_BYTES,
        "flags": {"enforceEager": True},
        "drainSeconds": 60,
    }


@contextmanager
def running_vllm(directory: Path, *, breakable: bool = False) -> Iterator[EngineProcess]:
    """Starts it, in a cgroup with a memory limit where this machine lets us make one.

    A breakable one is not the product alone: tests may break it, and read what its engine is given.
    """
    (directory / "site").mkdir()
    (directory / "sabotage").mkdir()
    paths = [package_site(directory / "site"), engine_site()]
    environment = {"VIBETHINKER_CPUS": "2", "SABOTAGE": str(directory / "sabotage")}
    if breakable:
        paths = [SABOTAGE, recorder_site(directory / "recorder"), *paths]
        environment |= recorder_environment(directory, toy_model())
    with start_limited_engine(
        directory,
        pythonpath=paths,
        settings=settings(),
        environment=environment,
        policy=SMALL_POLICY,
        backend=VLLM,
    ) as engine:
        yield engine


@contextmanager
def start_limited_engine(directory: Path, **how: Any) -> Iterator[EngineProcess]:
    """Starts an engine in a cgroup with a memory limit; `how` is for `start_engine`."""
    with limited_group(directory.name) as group, start_engine(directory, **how) as engine:
        if group is not None:  # it has no children yet, and these will be where it is
            (group / "cgroup.procs").write_text(str(engine.process.pid))
        yield engine


@contextmanager
def broken(engine: EngineProcess, what: str) -> Iterator[None]:
    """Breaks `what` of a breakable server meanwhile; see sabotage/sitecustomize.py."""
    switch = engine.log.parent / "sabotage" / what
    switch.touch()
    try:
        yield
    finally:
        switch.unlink()


def start_phases(engine: EngineProcess) -> list[str]:
    """Waits until it serves; returns each phase that the ops port showed on the way, in order."""
    seen: list[str] = []

    def serves() -> bool:
        phase = engine.phase()
        if phase is not None and phase not in seen[-1:]:
            seen.append(phase)
        return phase == "Serving"

    engine.wait_for(serves, READY_SECONDS)
    return seen


def page(engine: EngineProcess, **policy: Any) -> dict[str, float]:
    """Sends one sweep with this policy and returns the small page's series."""
    return values(engine.sweep({**SMALL_POLICY, **policy}))


def wait_until_idle(engine: EngineProcess) -> None:
    """Waits until nothing is in flight or runs."""

    def is_idle() -> bool:
        now = page(engine)
        busy = ("vibethinker_requests_in_flight", "vibethinker_requests_running")
        return [now.get(name) for name in busy] == [0, 0]

    engine.wait_for(is_idle, 60)


def idle_page(engine: EngineProcess) -> dict[str, float]:
    """Waits until it is idle and every reading is one of that time; returns the page."""
    wait_until_idle(engine)
    # Device memory is read four times a second.
    time.sleep(0.5)
    return page(engine)


@contextmanager
def limited_group(name: str) -> Iterator[Path | None]:
    """Makes a cgroup with a memory limit below our own; None where that is not to be had."""
    group = own_memory_group() / f"vibethinker-e2e-{name}"
    try:
        group.mkdir()
        file = "memory.limit_in_bytes" if "/memory/" in str(group) else "memory.max"
        (group / file).write_text(str(LIMIT_BYTES))
    except OSError:
        with suppress(OSError):
            group.rmdir()
        yield None
        return
    try:
        yield group
    finally:
        remove_group(group)


def remove_group(group: Path) -> None:
    """Removes the group once the killed engine's last process has left it."""
    for _ in range(50):
        with suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.1)


def own_memory_group() -> Path:
    """Returns this process's directory in cgroup v1's memory hierarchy, or in v2."""
    root = Path("/sys/fs/cgroup")
    paths: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        paths.update(dict.fromkeys(controllers.split(","), path.lstrip("/")))
    if "memory" in paths:
        return root / "memory" / paths["memory"]
    return root / paths.get("", "")
