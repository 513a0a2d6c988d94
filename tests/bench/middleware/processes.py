"""Contestants as processes: each on the core it is given, and what it costs there."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.images.python_site import PYTHON_VERSION, find_python

# The kernel's clock of a whole process by its id: CPU time in nanoseconds, ended threads included.
_PROCESS_CLOCK = 2
START_SECONDS = 60.0
DEBIAN = Path("/usr/bin")
LISTENING = "0A"


class StartError(Exception):
    """A contestant did not come up; the message ends with what it printed last."""


@dataclass(frozen=True)
class Cores:
    """Where things run: who is measured on one, who asks on the other."""

    server: int
    generator: int


@dataclass(frozen=True)
class Served:
    """A contestant that answers on a port of loopback."""

    port: int
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """Returns the CPU time that it and its children have used so far."""
        return sum(time.clock_gettime(~pid << 3 | _PROCESS_CLOCK) for pid in self._family())

    def rss_bytes(self) -> int:
        """Returns the memory that it and its children hold now."""
        return sum(_read_rss_bytes(pid) for pid in self._family())

    def _family(self) -> list[int]:
        found = [self.process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found


def find_server_python() -> str:
    """Returns Debian's own Python where it is the right one, else that of the test images.

    Debian's is built with profile-guided optimization, as is the one in vLLM's images; one that a
    person built from source without it answers a fifth fewer requests.
    """
    name = "python{}.{}".format(*PYTHON_VERSION)
    return str(DEBIAN / name) if (DEBIAN / name).exists() else find_python()


def choose_cores() -> Cores:
    """Returns two of the cores that this process may use.

    Raises:
        StartError: there is only one, so the load would be measured together with the server.
    """
    usable = sorted(os.sched_getaffinity(0))
    if len(usable) < 2:
        raise StartError("this benchmark needs two cores: one that serves, one that asks")
    return Cores(server=usable[-1], generator=usable[0])


@contextmanager
def start(
    command: Sequence[str], port: int, *, core: int, path: Sequence[Path], log: Path
) -> Iterator[Served]:
    """Runs a server on `core` with `path` as its PYTHONPATH until the block ends.

    Raises:
        StartError: it ended, or did not listen in time.
    """
    environment = _environment(path)
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})  # inherited, so no thread of it ever runs elsewhere
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(command), env=environment, stdout=output, stderr=output, cwd=log.parent
            )
    finally:
        os.sched_setaffinity(0, own)
    try:
        _wait(lambda: _listens(port), process, log)
        yield Served(port, process)
    finally:
        process.kill()
        process.wait()


def _environment(path: Sequence[Path]) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    joined = ":".join(map(str, path))
    return {**kept, "PYTHONPATH": joined, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() >= deadline:
            printed = log.read_text(errors="replace")[-2000:]
            raise StartError(f"{log.stem} did not start:\n{printed}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    """Returns whether somebody listens on `port`; to connect would be a request more to serve."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[1].endswith(f":{port:04X}") and row[3] == LISTENING for row in rows)


def _read_rss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
