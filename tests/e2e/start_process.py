"""`vibethinker-server start` as a person runs it: in a directory, in a terminal's place a file."""

import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.cluster.images.python_site import find_python
from tests.e2e.engine_process import free_port

COMMAND = ("-m", "vibethinker_server")
# Far above what is wanted: others use this machine too.
SECONDS = 400.0


@dataclass
class Person:
    """Somebody with a directory, an environment of their own, and a port."""

    directory: Path
    environment: dict[str, str]
    port: int
    ops_port: int

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs one command to its end."""
        return self.run_python(*COMMAND, *arguments)

    def run_python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs this person's Python to its end."""
        return subprocess.run(
            [find_python(), *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `start` on this person's ports to its end."""
        return self.run("start", *self.ports(), *arguments)

    @contextmanager
    def starting(self, *arguments: str) -> Iterator["Terminal"]:
        """Runs `start` on this person's ports meanwhile, in the foreground."""
        screen = self.directory / "screen"
        command = [find_python(), *COMMAND, "start", *self.ports(), *arguments]
        with screen.open("wb") as output:
            process = subprocess.Popen(
                command, cwd=self.directory, env=self.environment, stdout=output, stderr=output
            )
        terminal = Terminal(process, screen)
        try:
            yield terminal
        finally:
            # Twice: the second one ends it at once, its server too.
            for _ in range(2):
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ports(self) -> tuple[str, ...]:
        """Returns the options that choose this person's ports."""
        return ("--port", str(self.port), "--ops-port", str(self.ops_port))


@dataclass
class Terminal:
    """A start in the foreground, and what a person sees of it."""

    process: subprocess.Popen[bytes]
    screen: Path

    def text(self) -> str:
        """Returns everything shown so far."""
        return self.screen.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits until `condition` holds; fails with what is on the screen."""
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert self.process.poll() is None, self.text()[-4000:]
            assert time.monotonic() < deadline, self.text()[-4000:]
            time.sleep(0.05)

    def wait_until_announced(self) -> None:
        """Waits until the command to try is shown."""
        self.wait_for(lambda: "Try it:" in self.text() and "curl" in self.text())

    def server(self) -> int:
        """Returns the process id of the server that it started."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        (server,) = children.read_text().split()
        return int(server)

    def end(self, signum: int) -> int:
        """Sends the signal and returns the exit status."""
        self.process.send_signal(signum)
        return self.process.wait(timeout=SECONDS)


def make_person(directory: Path, paths: list[Path], **environment: str) -> Person:
    """Returns somebody with an empty home in `directory`, whose Python finds `paths`."""
    home = directory / "home"
    home.mkdir()
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "USER": "person",
        "PYTHONPATH": ":".join(map(str, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    return Person(directory, variables, free_port(), free_port())


def try_it(shown: str) -> httpx.Response:
    """Sends what the curl command in `shown` would send."""
    found = re.search(r"^ *(curl .*)$", shown, re.MULTILINE)
    assert found is not None, shown
    words = shlex.split(found[1])
    headers = dict(
        words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H"
    )
    body = words[words.index("-d") + 1]
    return httpx.post(words[1], headers=headers, content=body, timeout=SECONDS)


def session_of(pid: int) -> list[int]:
    """Returns every process of the session that `pid` leads; zombies are none."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[3]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def wait_until_gone(leader: int) -> None:
    """Waits until nothing is left of the session that `leader` led."""
    deadline = time.monotonic() + SECONDS
    while left := session_of(leader):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
