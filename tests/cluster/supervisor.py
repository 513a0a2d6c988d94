"""The box's programs as processes: started, watched, killed and started again on request."""

import os
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.cluster.commands import environment
from tests.cluster.components import Component

READY_SECONDS = 60.0
ASK_AGAIN_SECONDS = 0.1


class StartError(Exception):
    """A component did not become ready; the message carries the end of its log."""


class Supervisor:
    """Processes of the components, for the one process of the box that has id 1.

    That process inherits every orphan of the box, so all children are reaped here and in no
    other place.
    """

    def __init__(self, components: list[Component], logs: Path) -> None:
        self._components = {component.name: component for component in components}
        self._logs = logs
        self._pids: dict[str, int] = {}
        self._ends: dict[str, str] = {}
        self._changed = threading.Condition()

    def start(self, name: str) -> None:
        """Start a component that is not running and wait until it is ready.

        Raises:
            StartError: it ended, or was not ready after READY_SECONDS.
            KeyError: no component is named so.
        """
        component = self._components[name]
        with self._changed:
            if name in self._pids:
                return
            if component.ready_socket is not None:
                component.ready_socket.unlink(missing_ok=True)
            self._ends.pop(name, None)
            self._pids[name] = self._spawn(component)
        self._wait_ready(component)

    def _spawn(self, component: Component) -> int:
        with self._log_of(component.name).open("ab") as log:
            process = subprocess.Popen(
                component.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                start_new_session=True,
            )
        # `reap` waits for every child at once; a Popen that also waits would race with it.
        process.returncode = 0
        return process.pid

    def kill(self, name: str) -> None:
        """End a component by SIGKILL, leave it down, and return once it is gone."""
        with self._changed:
            if name not in self._components:
                raise KeyError(name)
            if name not in self._pids:
                return
            self._ends[name] = "stopped on request"
            os.kill(self._pids[name], signal.SIGKILL)
            self._changed.wait_for(lambda: name not in self._pids)

    def status(self) -> dict[str, str]:
        """Return "running", or how it ended, of every component that was ever started."""
        with self._changed:
            return {**self._ends, **dict.fromkeys(self._pids, "running")}

    def reap(self) -> None:
        """Collect ended children, for ever; the unexpected end of a component is written down."""
        while True:
            try:
                pid, wait_status = os.waitpid(-1, 0)
            except ChildProcessError:
                time.sleep(ASK_AGAIN_SECONDS)
                continue
            with self._changed:
                self._note_end(pid, os.waitstatus_to_exitcode(wait_status))

    def _note_end(self, pid: int, code: int) -> None:
        name = next((name for name, known in self._pids.items() if known == pid), None)
        if name is None:
            return
        del self._pids[name]
        if name not in self._ends:
            self._ends[name] = f"ended by itself with {code}"
            print(f"{name} (process {pid}) {self._ends[name]}: see {self._log_of(name)}")
        self._changed.notify_all()

    def _wait_ready(self, component: Component) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not _is_ready(component):
            end = self.status()[component.name]
            if end != "running" or time.monotonic() > deadline:
                why = f"not ready after {READY_SECONDS:.0f} s" if end == "running" else end
                last = self._log_of(component.name).read_text(errors="replace").splitlines()[-10:]
                raise StartError("\n".join([f"{component.name}: {why}; its log ends:", *last]))
            time.sleep(ASK_AGAIN_SECONDS)

    def _log_of(self, name: str) -> Path:
        return self._logs / f"{name}.log"


def _is_ready(component: Component) -> bool:
    if component.ready_socket is not None and not component.ready_socket.exists():
        return False
    return not component.ready_url or answers(component.ready_url, component.ready_authority)


def answers(url: str, authority: Path | None) -> bool:
    """Tell whether `url` answers with 200.

    Args:
        url: of http, or of https with `authority`.
        authority: the certificate that signed the server's.
    """
    context = ssl.create_default_context(cafile=authority) if authority else None
    try:
        # The address is one of ours, never a file or another scheme.
        with urllib.request.urlopen(url, timeout=2, context=context) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
