"""SIGTERM before the application has started: there is nothing to finish, so the process ends.

vLLM's own handler of that time raises KeyboardInterrupt, and the wait for its engine's process,
which is most of the start, passes over that one (`zmq_socket_ctx`, 0.32 and 0.33): kubelet would
wait out the whole grace period.
"""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn


def leave(signum: int, _frame: Any) -> NoReturn:
    """Ends this process and its children at once, without unwinding: whoever unwinds may object."""
    with suppress(OSError):
        for child in descendants(os.getpid()):
            # The engine's processes, left alone, notice only once they have imported everything.
            with suppress(OSError):
                os.kill(child, signal.SIGKILL)
    os._exit(128 + signum)


def descendants(pid: int) -> list[int]:
    """Returns the children of the process `pid`, and theirs."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            found += [child, *descendants(child)]
    return found


def take_early_sigterm() -> None:
    """Makes SIGTERM end this process at once, until somebody else takes it."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, leave)
