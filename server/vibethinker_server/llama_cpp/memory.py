"""The memory of the container that llama-server runs in, read from the container beside it.

Its cgroup is out of sight here. What is in sight, since the pod's containers share their process
namespace, is the process itself; and the limit comes with the environment.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from vibethinker_server import names
from vibethinker_server.load import DeviceMemory

PROC = Path("/proc")
KIB = 1024
ANONYMOUS = "RssAnon:"


class LlamaServerProbe:
    """Reads anonymous memory of llama-server's processes, and the limit of their container."""

    def __init__(self, environment: Mapping[str, str], port: str, proc: Path = PROC) -> None:
        """Takes the port of our llama-server: on a machine without pods there may be others."""
        limit = environment.get(names.ENV_ENGINE_MEMORY_LIMIT, "")
        self._limit = int(limit) if limit.isdecimal() and int(limit) > 0 else None
        self._port = port.encode()
        self._proc = proc

    def read_memory(self) -> DeviceMemory | None:
        """Returns the memory now; None without a limit, or where no such process is in sight."""
        if self._limit is None:
            return None
        used = list(self._read_processes())
        return DeviceMemory(self._limit, sum(used)) if used else None

    def read_utilization_ratio(self) -> float | None:
        """Returns None: a CPU has no such figure, and 0 would read as idle."""
        return None

    def _read_processes(self) -> Iterator[int]:
        for process in self._proc.iterdir():
            if not process.name.isdecimal():
                continue
            try:
                if self._is_ours((process / "cmdline").read_bytes()):
                    yield _anonymous_bytes((process / "status").read_text())
            except (OSError, LookupError):  # it ended meanwhile
                continue

    def _is_ours(self, command_line: bytes) -> bool:
        program, *args = command_line.split(b"\0")
        named = program.rpartition(b"/")[2] == names.LLAMA_SERVER.encode()
        return named and (b"--port", self._port) in pairwise(args)


def _anonymous_bytes(status: str) -> int:
    """Returns what /proc/PID/status says in KiB, in bytes.

    Raises:
        LookupError: it says nothing: a process that has ended and waits for its parent.
    """
    for line in status.splitlines():
        if line.startswith(ANONYMOUS):
            return int(line.split()[1]) * KIB
    raise LookupError(ANONYMOUS)
