"""A real one-node Kubernetes in network, mount and process namespaces of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import kubernetes_binaries
from tests.cluster.cache import locked
from tests.cluster.capabilities import (
    cgroup_hierarchies,
    require_cgroups,
    require_disk,
    require_namespaces,
    require_overlay,
    require_root,
)
from tests.cluster.commands import CommandError, run
from tests.cluster.images import Image, PAUSE
from tests.cluster.layout import Layout
from tests.cluster.packages import BOX_PACKAGES, install_packages
from tests.cluster.progress import step
from tests.cluster.stale import CTR

DEFAULT_NAME = "vibethinker"
CHECKOUT = Path(__file__).parents[2]
READY_SECONDS = 120.0
GONE_SECONDS = 30.0
ASK_AGAIN_SECONDS = 0.1
# Pods, logs and etcd of a test run; images ask for their own room.
RUN_GIGABYTES = 2


class BoxError(Exception):
    """The box did not start, is not running, or refused a request; the message says why."""


@dataclass(frozen=True)
class Box:
    """A running one-node Kubernetes.

    Its network is its own: addresses of pods, Services and the API answer inside only (see
    `enter`). Files are the machine's own, under the same paths, but for /run and /var/log.
    """

    name: str

    @property
    def layout(self) -> Layout:
        """Where the files of this box are."""
        return Layout(self.name)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, of use inside the box."""
        return self.layout.kubeconfig

    @property
    def pid(self) -> int:
        """The box's first process, as the machine numbers it.

        Raises:
            BoxError: the box is not running.
        """
        pid = _running_process(self.layout)
        if pid is None:
            raise BoxError(f"the box {self.name!r} is not running: python3 -m tests.cluster up")
        return pid

    @property
    def alive(self) -> bool:
        """Tell whether the box's first process is there."""
        return _running_process(self.layout) is not None

    def enter(self, argv: Sequence[str | Path], cwd: Path | None = None) -> list[str]:
        """Return the command that runs `argv` inside the box's namespaces.

        A process started so ends by SIGTERM when the returned command is ended in any way.

        Args:
            argv: a program and its arguments.
            cwd: where it runs; the working directory of this process by default.
        """
        namespaces = ["nsenter", "--target", str(self.pid), "--net", "--mount", "--pid"]
        follow = ["setpriv", "--pdeathsig", "TERM", "env", f"--chdir={cwd or Path.cwd()}"]
        return [*namespaces, *follow, *(str(word) for word in argv)]

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Return what kubectl prints, as the administrator.

        Raises:
            CommandError: kubectl failed.
        """
        return run(self.enter([*self.kubectl_command, *args]), stdin=stdin)

    @property
    def kubectl_command(self) -> list[str]:
        """The administrator's kubectl, to be run inside the box."""
        return [str(kubernetes_binaries() / "kubectl"), f"--kubeconfig={self.kubeconfig}"]

    def load_image(self, image: Image) -> None:
        """Make an image available to pods; one that is there already costs nothing.

        Raises:
            CapabilityError: too little disk, or something to build it with is missing.
            CommandError: containerd refused it.
        """
        if image.keyed_name in self._image_names():
            return
        image.prepare()
        require_disk(self.layout.root, image.gigabytes, f"loading {image.name}")
        with step(f"loading {image.name} into the box"):
            loading = subprocess.Popen(
                self.enter([*CTR, "images", "import", "-"]),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            _feed(loading, image)
            self._tag_by_key(image)

    def _tag_by_key(self, image: Image) -> None:
        repository = image.name.rpartition(":")[0]
        old = [name for name in self._image_names() if name.startswith(f"{repository}:key-")]
        if old:
            run(self.enter([*CTR, "images", "delete", *old]))
        run(self.enter([*CTR, "images", "tag", "--force", image.name, image.keyed_name]))

    def _image_names(self) -> set[str]:
        return set(run(self.enter([*CTR, "images", "list", "--quiet"])).split())

    def control(self, action: str = "status", component: str = "") -> dict[str, str]:
        """Kill or start one component, and return the state of all: "running", or how it ended.

        Args:
            action: "kill" (SIGKILL, and it stays down), "start" (and wait until it is ready),
                or "status".
            component: such as "kube-apiserver"; empty for "status".

        Raises:
            BoxError: there is no such component, or one of them did not become ready.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.layout.control_socket))
            request = {"action": action, "component": component}
            connection.sendall(json.dumps(request).encode() + b"\n")
            reply = json.loads(connection.makefile().readline())
        if reply["problem"]:
            raise BoxError(f"box {self.name!r}: {reply['problem']}")
        return dict(reply["components"])

    def stop(self, *, purge: bool = False) -> None:
        """End the box and remove what it left: processes, mounts, network, cgroups and state.

        Args:
            purge: remove the loaded images too, which a later start would find otherwise.
        """
        with locked(self.layout.lock):
            pid = _running_process(self.layout)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                _wait(lambda: not Path("/proc", str(pid)).exists(), GONE_SECONDS, "its end")
            _remove_traces(self.layout)
        if purge:
            shutil.rmtree(self.layout.root)


def _feed(loading: subprocess.Popen[bytes], image: Image) -> None:
    assert loading.stdin is not None
    assert loading.stderr is not None
    try:
        image.write(loading.stdin)
    except BrokenPipeError:
        pass  # what ctr printed says why it stopped reading
    except BaseException:
        loading.kill()
        raise
    loading.stdin.close()
    printed = loading.stderr.read().decode(errors="replace")
    if loading.wait() != 0:
        raise CommandError(f"containerd refused {image.name}:\n{printed.strip()}")


def start_box(name: str = DEFAULT_NAME, images: Sequence[Image] = ()) -> Box:
    """Return a box with a Ready node and the images loaded; what is there already is kept.

    Raises:
        CapabilityError: this machine lacks something; the message says what to do.
        BoxError: a component did not become ready.
        CommandError: a build failed.
    """
    box = Box(name)
    require_root()
    require_namespaces()
    require_cgroups()
    require_overlay(box.layout.root)
    install_packages(BOX_PACKAGES)
    programs = kubernetes_binaries()
    with locked(box.layout.lock):
        if not box.alive:
            require_disk(box.layout.root, RUN_GIGABYTES, "running the box")
            with step(f"starting the box {name!r}"):
                _start(box, programs)
    for image in (PAUSE, *images):
        box.load_image(image)
    return box


def _start(box: Box, programs: Path) -> None:
    layout = box.layout
    _remove_traces(layout)
    layout.logs.mkdir(parents=True)
    for hierarchy in cgroup_hierarchies():
        (hierarchy / layout.cgroup[1:]).mkdir(exist_ok=True)
    boot = [sys.executable, "-u", "-m", "tests.cluster.boot", layout.name, str(programs)]
    namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with (layout.logs / "boot.log").open("wb") as log:
        outer = subprocess.Popen(
            ["unshare", *namespaces, *boot],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _write_identity(layout, outer)
    try:
        _wait(lambda: _ready(box), READY_SECONDS, f"the box (its logs are in {layout.logs})")
    except BaseException:
        outer.kill()
        raise


def _write_identity(layout: Layout, outer: subprocess.Popen[bytes]) -> None:
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    _wait(lambda: children.read_text().split() != [], READY_SECONDS, "the box's first process")
    pid = int(children.read_text().split()[0])
    layout.identity.write_text(json.dumps({"pid": pid, "started": _start_ticks(pid)}))


def _ready(box: Box) -> bool:
    if not box.alive:
        log = (box.layout.logs / "boot.log").read_text(errors="replace")
        raise BoxError(f"the box ended while it started; boot.log ends:\n{log[-2000:]}")
    if not box.layout.control_socket.exists():
        return False
    box.control()
    node = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    try:
        return box.kubectl("get", "node", box.name, "--output", node) == "True"
    except CommandError:
        return False  # the node registers itself a moment after kubelet serves


def _running_process(layout: Layout) -> int | None:
    if not layout.identity.exists():
        return None
    known = json.loads(layout.identity.read_text())
    return known["pid"] if _start_ticks(known["pid"]) == known["started"] else None


def _start_ticks(pid: int) -> int | None:
    """Return when a process started, which tells it from a later one of the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(fields[19]) if fields[0] != "Z" else None


def _remove_traces(layout: Layout) -> None:
    """Remove what outlives the box's namespaces: cgroup directories and files of the run."""
    for hierarchy in cgroup_hierarchies():
        root = hierarchy / layout.cgroup[1:]
        for directory, _, _ in os.walk(root, topdown=False):
            Path(directory).rmdir()
    shutil.rmtree(layout.state, ignore_errors=True)
    layout.identity.unlink(missing_ok=True)


def _wait(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BoxError(f"waited {seconds:.0f} s for {what} in vain")
        time.sleep(ASK_AGAIN_SECONDS)
