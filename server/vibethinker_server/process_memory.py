"""Reads what the server's processes hold of their own: this one, the engine's, and the workers'."""

import os
import re
from pathlib import Path

from vibethinker_server.early_sigterm import descendants

PROC = Path("/proc")
ANONYMOUS = re.compile(r"^RssAnon:\s+(\d+) kB$", re.MULTILINE)


def read_resident_bytes(pid: int | None = None, proc: Path = PROC) -> int | None:
    """Returns the anonymous resident bytes of a process and all below it; None: not to be read.

    Anonymous, because files and shared memory would count once for every process that maps them.
    """
    root = os.getpid() if pid is None else pid
    parts = [_read_anonymous(proc / str(one) / "status") for one in (root, *descendants(root))]
    known = [part for part in parts if part is not None]
    # A child may end between its listing and its reading.
    return sum(known) if known and parts[0] is not None else None


def _read_anonymous(file: Path) -> int | None:
    try:
        found = ANONYMOUS.search(file.read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
