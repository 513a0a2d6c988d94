"""The server around a stub engine on loopback, and the door that the stub keeps for tests."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.engine_process import (
    POLICY,
    ROOT,
    EngineProcess,
    free_port,
    package_site,
    start_engine,
    values,
)

STUB = ROOT / "tests" / "support" / "stub_engine"
SETTINGS: dict[str, Any] = {
    "model": "/nowhere",
    "source": "Volume",
    "servedName": "stub",
    "device": "GPU",
    "dtype": "Float16",
    "blockSize": 10,
    "maxModelLen": 4096,
    "maxNumSeqs": 4,
    "maxNumBatchedTokens": 4096,
    "gpuMemoryUtilizationPercentage": 80,
    "drainSeconds": 20,
}
# A card of 10,000,000 bytes: 3,000,000 for weights and the rest, 5,000,000 for 1,000 tokens.
SHAPE = {
    "STUB_DEVICE_BYTES": "10000000",
    "STUB_OVERHEAD_BYTES": "3000000",
    "STUB_BYTES_PER_TOKEN": "5000",
    "STUB_STEP_SECONDS": "0.02",
}


@dataclass(frozen=True)
class Stub:
    """A serving stub engine.

    Attributes:
        engine: the server around it.
        door: address of the stub's own door.
    """

    engine: EngineProcess
    door: str

    def fill_memory(self, ratio: float | None) -> None:
        """Sets the KV use that the engine reports; None: what it really uses."""
        self._post("load", {"kvUsage": ratio})

    def allow_steps(self, steps: int | None) -> None:
        """Lets it make so many more steps, a token of every answer each; None: run by itself."""
        self._post("pace", {"steps": steps})

    def bodies(self) -> list[Any]:
        """Returns the bodies of requests as they reached the engine, oldest first."""
        return list(self.engine.client.get(f"{self.door}/bodies").json())

    def _post(self, path: str, body: Any) -> None:
        self.engine.client.post(f"{self.door}/{path}", json=body).raise_for_status()


def site_packages() -> list[Path]:
    """Returns where this Python's packages lie, for the stub to find the same ones."""
    return [Path(path) for path in sys.path if path.endswith("site-packages")]


@contextmanager
def running_stub(
    directory: Path, policy: dict[str, Any] = POLICY, **environment: str
) -> Iterator[EngineProcess]:
    """Starts a stub engine with `policy`, its files below `directory`."""
    site = directory / "site"
    site.mkdir(parents=True)
    with start_engine(
        directory,
        pythonpath=[STUB, package_site(site), *site_packages()],
        settings=SETTINGS,
        environment=SHAPE | environment,
        policy=policy,
    ) as engine:
        yield engine


@contextmanager
def serving_stub(
    directory: Path, policy: dict[str, Any] = POLICY, **environment: str
) -> Iterator[Stub]:
    """Starts a stub engine with `policy` and waits until it serves."""
    port = free_port()
    with running_stub(directory, policy, STUB_PORT=str(port), **environment) as engine:
        wait_until_serving(engine)
        engine.sweep(policy)
        yield Stub(engine, f"http://127.0.0.1:{port}/stub")


def wait_until_serving(engine: EngineProcess) -> None:
    """Waits until it serves and its memory is known."""
    engine.wait_for(lambda: engine.phase() == "Serving", seconds=60)
    # The next reading of the device is a quarter of a second away.
    engine.wait_for(lambda: "vibethinker_memory_used_ratio" in values(engine.sweep()), 10)
