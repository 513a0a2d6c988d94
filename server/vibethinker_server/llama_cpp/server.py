"""Runs the application on the client port until the process is told to end."""

import uvicorn
from prometheus_client import REGISTRY

from vibethinker_server.llama_cpp.application import Application
from vibethinker_server.llama_cpp.statistics import EnginePage
from vibethinker_server.runtime import Runtime

# Nothing is in flight by then but connections that clients keep.
CLOSING_SECONDS = 5


def run_proxy(runtime: Runtime, host: str, address: str) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        runtime: the process's state.
        host: the address to listen on.
        address: where llama-server listens.
    """
    page = EnginePage()
    REGISTRY.register(page)
    uvicorn.run(
        Application(runtime, address, page),
        host=host,
        port=runtime.settings.port,
        access_log=False,
        lifespan="on",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )
