"""How much memory the whole machine uses while the demo runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
PERIOD_SECONDS = 1.0


class Peak:
    """The most memory in use, in bytes; page cache that can be dropped is not in use."""

    def __init__(self) -> None:
        self.before = read_used_bytes()
        self.highest = self.before

    def look(self) -> None:
        self.highest = max(self.highest, read_used_bytes())


def read_used_bytes() -> int:
    """MemTotal less MemAvailable."""
    values = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
    total, available = (int(values[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    return (total - available) * 1024


@contextmanager
def watch_memory() -> Iterator[Peak]:
    """Look at the machine's memory once a second while the block runs."""
    peak, ended = Peak(), threading.Event()

    def look() -> None:
        while not ended.wait(PERIOD_SECONDS):
            peak.look()

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()
