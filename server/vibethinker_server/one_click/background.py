"""A server that runs on after `start` has returned: its log, its process id, its end."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vibethinker_server.start_error import StartError

POLL_SECONDS = 0.1


def pid_file(log: Path) -> Path:
    """Returns the file beside `log` that holds the process id."""
    return log.with_suffix(".pid")


def running_server(log: Path) -> int | None:
    """Returns the process that writes `log`, None where it has ended or there never was one."""
    try:
        pid = int(pid_file(log).read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # The number may since have become another program's.
    return pid if b"vibethinker_server" in command else None


def prepare_log(log: Path) -> None:
    """Makes room for a new log; the one before stays beside it, as NAME.1.

    Raises:
        StartError: it cannot be written, or a server writes it now.
    """
    pid = running_server(log)
    if pid is not None:
        raise StartError(
            f"process {pid} writes {log} already: end it with `vibethinker-server stop --log"
            f" {log}`, or name another file with --log"
        )
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists():
            log.replace(log.with_name(f"{log.name}.1"))
        log.touch()
    except OSError as error:
        raise StartError(f"log {log}: {error.strerror}: name another file with --log") from error


def stop_server(log: Path, say: Callable[[str], None]) -> None:
    """Ends the server that writes `log` and waits until it is gone; requests in flight end first.

    Raises:
        StartError: there is none.
    """
    pid = running_server(log)
    if pid is None:
        raise StartError(
            f"no server runs that writes {log}: --log names another, and `vibethinker-server"
            " start --background` starts one"
        )
    say(f"ending process {pid}")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    while running_server(log) == pid:
        time.sleep(POLL_SECONDS)
    pid_file(log).unlink(missing_ok=True)
