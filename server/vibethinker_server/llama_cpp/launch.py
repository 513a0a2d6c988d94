"""What `serve` does under backend LlamaCpp, as its environment says."""

import logging
from collections.abc import Mapping

from vibethinker_server import names
from vibethinker_server.engine_settings import EngineSettings
from vibethinker_server.llama_cpp.command import render_llama_args
from vibethinker_server.llama_cpp.memory import LlamaServerProbe
from vibethinker_server.runtime import Runtime
from vibethinker_server.start_error import StartError

log = logging.getLogger(__name__)


def show_llama_args(settings: EngineSettings, environment: Mapping[str, str]) -> list[str]:
    """Returns the flags that the llama-server beside this process must be started with."""
    cpus = environment.get(names.ENV_CPUS, "")
    threads = int(cpus) if cpus.isdecimal() else None
    return render_llama_args(settings, _find_llama_server(environment), threads)


def build_llama_probe(environment: Mapping[str, str]) -> LlamaServerProbe:
    """Returns what reads llama-server's memory."""
    return LlamaServerProbe(environment, _find_llama_server(environment).rpartition(":")[2])


def run_llama_proxy(runtime: Runtime, host: str, environment: Mapping[str, str]) -> None:
    """Runs the proxy before llama-server as this process's main program.

    Args:
        runtime: the process's state.
        host: the address to listen on.
        environment: says where llama-server listens.

    Raises:
        StartError: what the proxy needs is not installed: vLLM's images are not meant for it.
    """
    try:
        from vibethinker_server.llama_cpp.server import run_proxy  # noqa: PLC0415 (not under vLLM)
    except ModuleNotFoundError as error:
        raise StartError(
            f"backend LlamaCpp needs {error.name}, which is not installed: use the server image, or"
            " pip install 'vibethinker[proxy]'"
        ) from error
    address = _find_llama_server(environment)
    log.info("serving on %s:%s before llama-server on %s", host, runtime.settings.port, address)
    run_proxy(runtime, host, address)


def _find_llama_server(environment: Mapping[str, str]) -> str:
    """Returns where llama-server listens, as host:port."""
    return environment.get(names.ENV_LLAMA_SERVER) or names.LLAMA_SERVER_ADDRESS
