"""The engine under calibration: our server around a real vLLM, on this machine's CPU or GPU."""

import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vibethinker_simulator.replica import EngineShape

from tests.bench.calibrate.scaling import Scale
from tests.bench.calibrate.step_log import Step, read_log
from tests.cluster.images import engine_site
from tests.cluster.model import toy_model
from tests.e2e import real_engine
from tests.e2e.engine_process import EngineProcess, package_site, start_engine, values
from tests.support.policy_document import POLICY

PROBE: Final = Path(__file__).parent / "probe"
SEATS: Final = 16
CHUNK: Final = 512
MODEL_LEN: Final = 4096
CAP: Final = 1024
"""Most tokens of an answer here; our server enforces it, and no request asks for more."""


@dataclass(frozen=True)
class Device:
    """Where the engine runs.

    Attributes:
        kind: CPU or GPU.
        model: Directory of the model.
        site: Directory of the engine's packages.
        kv_bytes: Size of the KV pool.
        word: A text that is one token of the model wherever it is repeated.
        scale: What the replayed trace's lengths become.
    """

    kind: str
    model: Path
    site: Path
    kv_bytes: int
    word: str
    scale: Scale

    @property
    def rig(self) -> str:
        """What titles call it."""
        return f"{self.kind} rig"

    @property
    def machine(self) -> str:
        """What is said of the machine beside each figure."""
        return f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def cpu() -> Device:
    """Returns the toy model of VibeThinker's KV geometry on this machine's CPU."""
    scale = Scale(prompts=4, outputs=4, longest_prompt=2048, longest_output=256)
    return Device("CPU", toy_model(), engine_site(), real_engine.POOL_BYTES, "?", scale)


def gpu(model: Path, site: Path) -> Device:
    """Returns VibeThinker, or another of its tokenizer, on the GPU at hand.

    Its pool holds a sequence of full length on each seat: nobody is refused or preempted.
    """
    scale = Scale(prompts=1, outputs=1, longest_prompt=3000, longest_output=CAP)
    return Device("GPU", model.resolve(), site.resolve(), 2 * 2**30, " a", scale)


@dataclass(frozen=True)
class Rig:
    """A running engine and the log of its steps."""

    engine: EngineProcess
    probe: Path
    word: str

    def page(self) -> str:
        """Returns the small page, as the operator reads it."""
        return self.engine.sweep(policy())

    def steps(self, begin: float, end: float) -> list[Step]:
        """Returns the steps that began in a part of the run, in monotonic seconds."""
        files = sorted(self.probe.glob("probe-*.jsonl"))
        lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
        return [step for step in read_log(lines) if begin <= step.at < end]


def settings(device: Device) -> dict[str, Any]:
    """Returns the engine's settings: no prefix is shared, and long prompts are split."""
    return real_engine.settings() | {
        "model": str(device.model),
        "device": device.kind,
        "dtype": "Float32" if device.kind == "CPU" else "BFloat16",
        "maxModelLen": MODEL_LEN,
        "maxNumSeqs": SEATS,
        "maxNumBatchedTokens": CHUNK,
        "kvCacheMemoryBytes": device.kv_bytes,
        "flags": {
            "enforceEager": device.kind == "CPU",
            "enablePrefixCaching": False,
            "enableChunkedPrefill": True,
        },
    }


def policy() -> dict[str, Any]:
    """Returns a policy that refuses nobody before the pool is all but full."""
    return POLICY | {
        "overload": {"policy": "ScaleOut", "maxQueuedRequests": 4096},
        "tokenLimits": {"math": CAP, "code": CAP, "qa": CAP},
    }


def shape_of(page: str) -> EngineShape:
    """Returns what bounds the engine, with the pool that it tells of."""
    block = int(real_engine.settings()["blockSize"])
    pool = int(values(page)["vibethinker_kv_pool_tokens"])
    return EngineShape(SEATS, CHUNK, block, pool // block)


@contextmanager
def running(device: Device) -> Iterator[Rig]:
    """Starts the engine and yields it once it serves; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vibethinker-bench-") as temporary:
        directory = Path(temporary)
        (directory / "site").mkdir()
        # The limit of a cgroup stands for a card's memory; without it the server knows none.
        start = real_engine.start_limited_engine if device.kind == "CPU" else start_engine
        with start(
            directory,
            pythonpath=[PROBE, package_site(directory / "site"), device.site],
            settings=settings(device),
            environment={"VIBETHINKER_CPUS": "2", "PROBE": str(directory)},
            policy=policy(),
        ) as engine:
            real_engine.start_phases(engine)
            yield Rig(engine, directory, device.word)
