"""Which process is a box's first one, told from a later process of the same number."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.capabilities import cgroup_hierarchies
from tests.cluster.layout import Layout

APPEARS_SECONDS = 10.0
GONE_SECONDS = 30.0
ASK_AGAIN_SECONDS = 0.1


class BoxError(Exception):
    """The box did not start, is not running, or refused a request; the message says why."""


def running_process(layout: Layout) -> int | None:
    """Return the process id of the box's first process, or None where the box is not running."""
    try:
        known = json.loads(layout.identity.read_text())
    except FileNotFoundError:
        return None
    pid = int(known["pid"])
    return pid if _start_ticks(pid) == known["started"] else None


def write_identity(layout: Layout, outer: subprocess.Popen[bytes]) -> None:
    """Write down the box's first process, which is the only child of its `unshare`."""
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    wait_until(
        lambda: outer.poll() is not None or children.read_text().split() != [],
        APPEARS_SECONDS,
        "the box's first process",
    )
    if outer.poll() is not None:
        raise BoxError(f"unshare ended with {outer.returncode}: see {layout.logs}/boot.log")
    pid = int(children.read_text().split()[0])
    layout.identity.write_text(json.dumps({"pid": pid, "started": _start_ticks(pid)}))


def end_box(layout: Layout) -> None:
    """End the box's first process, and with it every other, and remove what outlives them."""
    pid = running_process(layout)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        # It is gone only when all processes of its namespace are.
        wait_until(lambda: running_process(layout) is None, GONE_SECONDS, "the box's end")
    remove_traces(layout)


def remove_traces(layout: Layout) -> None:
    """Remove what outlives the namespaces of a box: its cgroup directories and its state."""
    for hierarchy in cgroup_hierarchies():
        root = hierarchy / layout.cgroup[1:]
        for directory, _, _ in os.walk(root, topdown=False):
            _remove_cgroup(Path(directory))
    shutil.rmtree(layout.state, ignore_errors=True)
    layout.identity.unlink(missing_ok=True)


def _remove_cgroup(directory: Path) -> None:
    def removed() -> bool:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return True
        except OSError:
            return False  # busy for a moment after its last process ended
        return True

    wait_until(removed, GONE_SECONDS, f"the processes in {directory} to end")


def _start_ticks(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[19]) if fields[0] not in {"X", "Z"} else None


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once `condition` holds.

    Raises:
        BoxError: it did not within `seconds`; `what` says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BoxError(f"waited {seconds:.0f} s for {what} in vain")
        time.sleep(ASK_AGAIN_SECONDS)
