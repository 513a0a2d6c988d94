"""The real peer: vLLM's own router from PyPI, a proxy in Rust, before the bare application.

It stands in a directory of its own in the cache, keyed on what is installed there. It forwards and
balances; it knows no keys of its own, no sessions and no memory, so it has nobody to refuse.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.middleware.processes import Served, find_server_python, start
from tests.cluster.images.python_site import site
from tests.e2e.engine_process import free_port

NAME = "vllm_router"
REQUIREMENTS = Path(__file__).with_name("peer-requirements.txt")
GIGABYTES = 0.5
NO_REFUSALS = "it forwards everything: it has no keys, sessions or memory line to refuse by"
ANOTHER_PROCESS = "it is a process of its own, so there is nothing of it without sockets"


def install_peer() -> Path:
    """Returns the directory that holds the peer, installed on first use.

    Raises:
        CommandError: a package could not be installed.
        CapabilityError: there is too little disk, or no Python that fits.
    """
    return site("bench-peer", REQUIREMENTS, GIGABYTES)


@contextmanager
def start_peer(directory: Path, backend: int, *, core: int, log: Path) -> Iterator[Served]:
    """Runs the peer as it ships before the server on port `backend`.

    Raises:
        StartError: it did not start.
    """
    port, metrics = free_port(), free_port()
    command = [
        *(find_server_python(), "-m", "vllm_router.launch_router", "--host", "127.0.0.1"),
        *("--port", str(port), "--prometheus-port", str(metrics), "--log-level", "error"),
        *("--worker-urls", f"http://127.0.0.1:{backend}"),
    ]
    with start(command, port, core=core, path=[directory], log=log) as served:
        yield served
