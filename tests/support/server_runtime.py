"""A server's runtime for tests: a clock that only tests move, and chance that they choose."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vibethinker_server.engine_settings import DataType, Device, EngineSettings
from vibethinker_server.fleet import Fleet
from vibethinker_server.key_file import KeyFile
from vibethinker_server.load import DeviceMemory, EngineReading
from vibethinker_server.policy import Growth, Lease, OverloadPolicy, Policy, Saturation
from vibethinker_server.runtime import Clock, Runtime

GIB = 2**30
SATURATION = Saturation(0.75, 0.65, request_queue_length=4, sustained_seconds=10.0)


@dataclass
class FakeClock:
    """Both clocks of a process; they run only when told to."""

    now: float = 1_000.0
    unix_offset: float = 1_800_000_000.0

    def monotonic(self) -> float:
        return self.now

    def unix(self) -> float:
        return self.now + self.unix_offset

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Chance:
    """Chance that always falls the same way."""

    value: float = 0.0

    def __call__(self) -> float:
        return self.value


def make_policy(
    overload: OverloadPolicy = OverloadPolicy.SCALE_OUT_THEN_REJECT, **changes: Any
) -> Policy:
    values: dict[str, Any] = {
        "generation": 7,
        "saturation": SATURATION,
        "overload": overload,
        "max_queued_requests": 64,
        "token_limits": {"math": 512, "code": 768, "qa": 256},
        "default_task": "code",
    }
    return Policy(**(values | changes))


def make_lease(growth: Growth = Growth.CAN_GROW, **changes: Any) -> Lease:
    values: dict[str, Any] = {
        "growth": growth,
        "relief_seconds": None,
        "move_connections": False,
        "ttl_seconds": 10.0,
    }
    return Lease(**(values | changes))


def make_settings(**changes: Any) -> EngineSettings:
    values: dict[str, Any] = {
        "model": "WeiboAI/VibeThinker-1.5B",
        "servedName": "vibethinker-1.5b",
        "device": Device.GPU,
        "dtype": DataType.FLOAT16,
        "blockSize": 16,
        "maxModelLen": 4096,
        "maxNumSeqs": 128,
        "maxNumBatchedTokens": 4096,
        "gpuMemoryUtilizationPercentage": 85,
        "drainSeconds": 30,
    }
    return EngineSettings.model_validate(values | changes)


@dataclass
class Rig:
    """A runtime with what moves it."""

    runtime: Runtime
    clock: FakeClock
    chance: Chance = field(default_factory=Chance)


def make_rig(tmp_path: Path, policy: Policy | None = None, **settings: Any) -> Rig:
    """Returns a runtime that serves: engine up, idle, 10 GiB of 16 GiB in use, 8 GiB of it pool."""
    clock, chance = FakeClock(), Chance()
    (tmp_path / "ticket-key").write_text("a ticket key")
    (tmp_path / "fleet-token").write_text("a fleet token\n")
    runtime = Runtime(
        settings=make_settings(**settings),
        fleet=Fleet(policy or make_policy()),
        clock=Clock(monotonic=clock.monotonic, unix=clock.unix),
        chance=chance,
        ticket_file=KeyFile(tmp_path / "ticket-key"),
        token_file=KeyFile(tmp_path / "fleet-token"),
        served_by=b"pod-a",
    )
    runtime.answering = True
    runtime.stats.initialized = True
    runtime.stats.pool_bytes = 8 * GIB
    runtime.stats.reading = EngineReading(running=0, waiting=0, kv_usage_ratio=0.0)
    runtime.device = DeviceMemory(total_bytes=16 * GIB, used_bytes=10 * GIB)
    return Rig(runtime, clock, chance)
