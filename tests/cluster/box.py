"""A real one-node Kubernetes in network, mount and process namespaces of its own."""

import json
import shutil
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import kubernetes_binaries
from tests.cluster.cache import locked
from tests.cluster.capabilities import require_disk, require_root
from tests.cluster.commands import CommandError, run
from tests.cluster.images import Image
from tests.cluster.layout import Layout
from tests.cluster.process import BoxError, end_box, running_process
from tests.cluster.progress import step
from tests.cluster.stale import CTR


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
        pid = running_process(self.layout)
        if pid is None:
            raise BoxError(f"the box {self.name!r} is not running: make cluster-up")
        return pid

    @property
    def alive(self) -> bool:
        """Tell whether the box's first process is there."""
        return running_process(self.layout) is not None

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
        if image.keyed_name not in self.loaded_images():
            # The key is read before the build: what changes meanwhile is built the next time.
            keyed_name = image.keyed_name
            image.prepare()
            self.import_image(image, keyed_name)

    def import_image(self, image: Image, keyed_name: str) -> None:
        """Write an image that is prepared into containerd, in place of an older one.

        Args:
            image: its `prepare` was called.
            keyed_name: the image's at the time of that call.

        Raises:
            CapabilityError: too little disk.
            CommandError: containerd refused it.
        """
        require_disk(self.layout.root, image.gigabytes, f"loading {image.name}")
        self._forget(image.name.rpartition(":")[0])
        with step(f"loading {image.name} into the box"):
            with subprocess.Popen(
                self.enter([*CTR, "images", "import", "-"]),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            ) as loading:
                _feed(loading, image)
            run(self.enter([*CTR, "images", "tag", "--force", image.name, keyed_name]))

    def _forget(self, repository: str) -> None:
        """Delete every name of a repository's images, so that their layers are collected."""
        images = self._image_digests()
        old = {digest for name, digest in images.items() if name.startswith(f"{repository}:")}
        # Kubernetes' interface of containerd adds names of its own, of which only the digest tells.
        names = [name for name, digest in images.items() if digest in old]
        if names:
            run(self.enter([*CTR, "images", "delete", *names]))

    def loaded_images(self) -> set[str]:
        """Return the names of the images that pods can use, keyed names included."""
        return set(self._image_digests())

    def _image_digests(self) -> dict[str, str]:
        _, *rows = run(self.enter([*CTR, "images", "list"])).splitlines()
        return {row.split()[0]: row.split()[2] for row in rows}

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

        Raises:
            BoxError: a process or a cgroup did not go in time.
        """
        require_root()
        with locked(self.layout.lock):
            end_box(self.layout)
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
