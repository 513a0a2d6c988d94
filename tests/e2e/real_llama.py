"""Real llama-server with our proxy before it, small: a toy model, half a GiB of KV."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vibethinker_server.engine_settings import EngineSettings
from vibethinker_server.llama_cpp.command import render_llama_args

from tests.cluster.images import llama_server
from tests.cluster.model import toy_gguf
from tests.e2e.engine_process import Backend, EngineProcess, free_port, package_site, start_engine
from tests.e2e.real_engine import SEATS, SMALL_POLICY
from tests.support.hostile_requests import SERVED_NAME

RECORDER = Path(__file__).parent / "llama_recorder"
POOL_BYTES = 512 * 2**20
# The same geometry as the other engine's in half precision.
BYTES_PER_TOKEN = 28_672
# What the limit of the container `engine` would be.
LIMIT_BYTES = 2**30
# Threads wait for each other spinning, at every operation: on a busy machine two are far slower.
THREADS = 1
LLAMA = Backend("llama.cpp", BYTES_PER_TOKEN, POOL_BYTES, LIMIT_BYTES)


def settings(**changes: Any) -> dict[str, Any]:
    """Returns the engine's settings."""
    return {
        "model": str(toy_gguf()),
        "source": "Volume",
        "servedName": SERVED_NAME,
        "backend": "LlamaCpp",
        "device": "CPU",
        "dtype": "Float16",
        "blockSize": 1,
        "maxModelLen": 4096,
        "maxNumSeqs": SEATS,
        "maxNumBatchedTokens": 512,
        "kvCacheMemoryBytes": POOL_BYTES,
        "drainSeconds": 60,
        **changes,
    }


@contextmanager
def running_llama(
    directory: Path, *, breakable: bool = False, **changes: Any
) -> Iterator[EngineProcess]:
    """Starts both, with `changes` to the settings; `breakable` as in `running_vllm`."""
    port, given = free_port(), settings(**changes)
    with llama_server_process(directory / "llama-server.log", port, given):
        yield from _proxy(directory, port, given, breakable=breakable)


@contextmanager
def running_proxy_alone(directory: Path, port: int | None = None) -> Iterator[EngineProcess]:
    """Starts the proxy and no llama-server, which may come to `port` later."""
    yield from _proxy(directory, port or free_port(), settings(), breakable=False)


@contextmanager
def llama_server_process(
    log: Path, port: int, given: dict[str, Any]
) -> Iterator["subprocess.Popen[bytes]"]:
    """Starts llama-server as the pod's container `engine` does."""
    args = render_llama_args(EngineSettings.model_validate(given), f"127.0.0.1:{port}", THREADS)
    with log.open("ab") as output:
        command = [str(llama_server() / "llama-server"), *args]
        process = subprocess.Popen(command, stdout=output, stderr=output, process_group=0)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _proxy(
    directory: Path, port: int, given: dict[str, Any], *, breakable: bool
) -> Iterator[EngineProcess]:
    (directory / "site").mkdir()
    (directory / "sabotage").mkdir()
    environment = {
        "VIBETHINKER_LLAMA_SERVER": f"127.0.0.1:{port}",
        "VIBETHINKER_ENGINE_MEMORY_LIMIT": str(LIMIT_BYTES),
    }
    paths = [package_site(directory / "site")]
    if breakable:
        paths = [RECORDER, *paths]
        environment |= {
            "SABOTAGE": str(directory / "sabotage"),
            "ARRIVALS": str(directory / "arrivals.jsonl"),
        }
        os.close(os.open(directory / "arrivals.jsonl", os.O_CREAT))
    with start_engine(
        directory,
        pythonpath=paths,
        settings=given,
        environment=environment,
        policy=SMALL_POLICY,
        backend=LLAMA,
    ) as engine:
        engine.behind = environment["VIBETHINKER_LLAMA_SERVER"]
        yield engine
