"""A server's state in which everything is known, so that each of its metrics has a series."""

from pathlib import Path

from prometheus_client import CollectorRegistry
from vibethinker_server.engine_settings import DataType, Device, EngineSettings
from vibethinker_server.fleet import Fleet
from vibethinker_server.key_file import KeyFile
from vibethinker_server.load import AfterStart, DeviceMemory, EngineReading
from vibethinker_server.ops_server import OpsRoutes
from vibethinker_server.runtime import Clock, Runtime
from vibethinker_server.serve import DEFAULT_POLICY
from vibethinker_server.weights import Weights

GIB = 2**30


def build_known_registry() -> CollectorRegistry:
    """Returns the registry of a server's ops port, as the port itself fills it."""
    runtime = Runtime(
        settings=EngineSettings.model_validate(
            {
                "model": "WeiboAI/VibeThinker-1.5B",
                "servedName": "vibethinker-1.5b",
                "device": Device.GPU,
                "dtype": DataType.FLOAT16,
                "blockSize": 16,
                "maxModelLen": 4096,
                "maxNumSeqs": 128,
                "maxNumBatchedTokens": 4096,
                "gpuMemoryUtilizationPercentage": 85,
            }
        ),
        fleet=Fleet(DEFAULT_POLICY),
        clock=Clock(monotonic=lambda: 0.0, unix=lambda: 0.0),
        chance=lambda: 0.0,
        ticket_file=KeyFile(Path("ticket-key")),
        token_file=KeyFile(Path("fleet-token")),
        served_by=b"pod",
    )
    _make_known(runtime)
    OpsRoutes(runtime, CollectorRegistry())
    return runtime.registry


def _make_known(runtime: Runtime) -> None:
    runtime.device = DeviceMemory(total_bytes=16 * GIB, used_bytes=10 * GIB)
    runtime.gpu_util_ratio = 0.0
    runtime.after_start = AfterStart(live_bytes=4 * GIB, resident_bytes=3 * GIB)
    runtime.weights = Weights(3 * GIB)
    runtime.backlog = lambda: 0
    runtime.stats.initialized = True
    runtime.stats.pool_bytes = 6 * GIB
    runtime.stats.token_bytes, runtime.stats.pool_tokens = 28_672, 224_688
    runtime.stats.prompt_tokens = runtime.stats.generation_tokens = 0
    runtime.stats.reading = EngineReading(running=0, waiting=0, kv_usage_ratio=0.0)
    runtime.ttft.labels("webui", "code").observe(0.0)
