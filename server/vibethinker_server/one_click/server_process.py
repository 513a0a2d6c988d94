"""The server as a process of `start`: begun in a session of its own, watched, ended.

A session of its own, so that Ctrl-C reaches `start` alone and becomes the server's SIGTERM: sent to
everybody, it would end the engine under the requests that are to be finished.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any

from vibethinker_server import names
from vibethinker_server.one_click.options import reachable
from vibethinker_server.phases import Phase

POLL_SECONDS = 0.25
TIMEOUT_SECONDS = 5.0
ENDING = b"\nending what runs; once more, and it ends at once\n"
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


def begin_server(environment: Mapping[str, str], output: IO[Any] | None) -> subprocess.Popen[bytes]:
    """Runs `serve`; None as `output` leaves it the terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "vibethinker_server", "serve"],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def wait_until_serving(process: subprocess.Popen[bytes], host: str, port: int, say: Say) -> bool:
    """Waits until the server answers, and says each phase on the way; False: it ended before."""
    seen = None
    while process.poll() is None:
        phase = ask_phase(host, port)
        if phase == Phase.SERVING:
            return True
        if phase is not None and phase != seen:
            say(f"{phase} ...")
            seen = phase
        time.sleep(POLL_SECONDS)
    return False


def ask_phase(host: str, port: int) -> str | None:
    """Returns the phase that the ops port shows, None while it does not answer."""
    connection = http.client.HTTPConnection(reachable(host), port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", names.PATH_READY)
        return str(json.loads(connection.getresponse().read())["phase"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def end_on_signals(process: subprocess.Popen[bytes]) -> list[int]:
    """Passes on what asks this process to end; returns the list that those signals will stand in.

    The first one drains the server, a second one kills it.
    """
    asked: list[int] = []

    def end(signum: int, _frame: Any) -> None:
        asked.append(signum)
        if len(asked) == 1:
            # Not by print, which a signal may interrupt and which then refuses to be used.
            os.write(sys.stderr.fileno(), ENDING)
            process.terminate()
        else:
            kill_server(process)

    for signum in ENDING_SIGNALS:
        signal.signal(signum, end)
    return asked


def kill_server(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and all its children without another word."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
