import http.server
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from vibethinker_server import parent
from vibethinker_server.engine_args import ANY_ADDRESS
from vibethinker_server.one_click import server_process
from vibethinker_server.one_click.server_process import (
    ask_phase,
    end_on_signals,
    kill_server,
    wait_until_serving,
)

SERVER = Path(__file__).parents[3] / "server"


@contextmanager
def answering(*bodies: bytes) -> Iterator[int]:
    """An ops port that answers with each of these in turn, and with the last one from then on."""
    left = list(bodies)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(left.pop(0) if len(left) > 1 else left[0])

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def phase(name: str) -> bytes:
    return json.dumps({"phase": name}).encode()


class Process:
    """A server that has ended once `polls` have asked for it."""

    def __init__(self, polls: int = 10**6) -> None:
        self.polls = polls
        self.terminated = 0

    def poll(self) -> int | None:
        self.polls -= 1
        return None if self.polls >= 0 else 1

    def terminate(self) -> None:
        self.terminated += 1


def test_each_phase_is_said_once_on_the_way_to_serving(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_process, "POLL_SECONDS", 0)
    said: list[str] = []
    bodies = map(phase, ["StartingEngine", "StartingEngine", "WarmingUp", "Serving"])
    with answering(*bodies) as port:
        assert wait_until_serving(Process(), "127.0.0.1", port, said.append)  # type: ignore[arg-type]
    assert said == ["StartingEngine ...", "WarmingUp ..."]


def test_a_server_that_ends_before_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_process, "POLL_SECONDS", 0)
    with answering(phase("StartingEngine")) as port:
        assert not wait_until_serving(Process(3), "127.0.0.1", port, print)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"other": 1}'])
def test_an_answer_of_somebody_else_is_no_phase(body: bytes):
    with answering(body) as port:
        assert ask_phase("127.0.0.1", port) is None


def test_a_server_on_every_address_is_asked_on_loopback():
    with answering(phase("Serving")) as port:
        assert ask_phase(ANY_ADDRESS, port) == "Serving"


def test_the_first_signal_ends_the_server_and_the_second_one_kills_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    handlers: dict[int, Any] = {}
    killed: list[Any] = []
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(server_process, "kill_server", killed.append)
    monkeypatch.setattr("sys.stderr", sys.__stderr__)
    process = Process()
    asked = end_on_signals(process)  # type: ignore[arg-type]
    assert set(handlers) == {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    handlers[signal.SIGHUP](signal.SIGHUP, None)
    assert (asked, process.terminated, killed) == ([signal.SIGHUP], 1, [])
    assert "once more" in capfd.readouterr().err
    handlers[signal.SIGINT](signal.SIGINT, None)
    assert (process.terminated, killed) == (1, [process])


def test_killing_takes_the_children_too_and_may_come_too_late():
    code = "import subprocess; subprocess.run(['sleep', '60'])"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    kill_server(process)
    assert process.wait(timeout=30) == -signal.SIGKILL
    kill_server(process)


def test_a_server_ends_with_the_process_that_started_it():
    start = (
        "import subprocess, sys, os\n"
        "child = 'import os, sys, time; from vibethinker_server.parent import end_with;'\n"
        "child += 'end_with(sys.argv[1]); print(os.getpid(), flush=True); time.sleep(60)'\n"
        "subprocess.run([sys.executable, '-c', child, str(os.getpid())], start_new_session=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", start],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(SERVER)},
    )
    with process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        watch = os.pidfd_open(child)
        process.kill()
        process.wait()
        assert select.select([watch], [], [], 30)[0] == [watch]
        os.close(watch)


def test_a_server_whose_start_is_gone_already_does_not_begin(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ctypes.CDLL", lambda _name: _Nothing())
    parent.end_with("")
    parent.end_with(str(os.getppid()))
    with pytest.raises(ProcessLookupError, match="is gone"):
        parent.end_with("1" if os.getppid() != 1 else "2")


class _Nothing:
    def prctl(self, *_: int) -> int:
        return 0
