"""A plain etcd and kube-apiserver on loopback ports, for tests that need no node."""

import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.binaries import kubernetes_binaries
from tests.cluster.capabilities import CapabilityError, find_program, require_programs
from tests.cluster.commands import environment, run
from tests.cluster.packages import install_packages
from tests.cluster.pki import make_authority, new_user, write_kubeconfig, write_tokens
from tests.cluster.process import BoxError, wait_until
from tests.cluster.supervisor import answers

READY_SECONDS = 60.0
END_SECONDS = 10.0
ETCD_PACKAGES = {"etcd": "etcd-server"}


@dataclass(frozen=True)
class ControlPlane:
    """A running etcd and kube-apiserver.

    Attributes:
        directory: holds their data and logs until `stop`.
        kubeconfig: the administrator's (system:masters), by a token.
        url: address of the API server, on a loopback port.
        token: the administrator's.
        kubectl_program: the kubectl of the same build.
    """

    directory: Path
    kubeconfig: Path
    url: str
    token: str
    kubectl_program: str
    processes: tuple[subprocess.Popen[bytes], ...]

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Return what kubectl prints, as the administrator.

        Raises:
            CommandError: kubectl failed.
        """
        return run([self.kubectl_program, f"--kubeconfig={self.kubeconfig}", *args], stdin=stdin)

    def stop(self) -> None:
        """End both processes and remove their files."""
        for process in self.processes:
            process.kill()
            process.wait(END_SECONDS)
        shutil.rmtree(self.directory)


def start_control_plane() -> ControlPlane:
    """Return a new, empty API server, ready within seconds.

    Its programs are those of KUBEBUILDER_ASSETS where that is set, else our own build.

    Raises:
        CapabilityError: a program is missing, and cannot be built or installed here.
        BoxError: the API server was not ready in time; its log's end is in the message.
    """
    programs = find_control_plane_programs()
    directory = Path(tempfile.mkdtemp(prefix="vibethinker-apiserver-"))
    etcd_port, peer_port, api_port = free_ports(3)
    authority = make_authority(directory / "pki")
    authority.issue("apiserver", "/CN=kube-apiserver", "DNS:localhost,IP:127.0.0.1")
    admin = new_user("admin", "system:masters")
    write_tokens(directory / "tokens.csv", [admin])
    url, kubeconfig = f"https://127.0.0.1:{api_port}", directory / "kubeconfig"
    write_kubeconfig(kubeconfig, url, authority.certificate, admin)
    commands = (
        _etcd(programs["etcd"], directory, etcd_port, peer_port),
        _apiserver(programs["kube-apiserver"], directory, etcd_port, api_port),
    )
    processes = tuple(_spawn(directory, command) for command in commands)
    plane = ControlPlane(directory, kubeconfig, url, admin.token, programs["kubectl"], processes)
    try:
        _wait_ready(plane, authority.certificate)
    except BaseException:
        plane.stop()
        raise
    return plane


def find_control_plane_programs() -> dict[str, str]:
    """Return the paths of etcd, kube-apiserver and kubectl.

    Raises:
        CapabilityError: KUBEBUILDER_ASSETS is set but lacks one of them.
    """
    require_programs("openssl", "setpriv", reason="the API server")
    names = ("etcd", "kube-apiserver", "kubectl")
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets:
        found = {name: str(Path(assets, name)) for name in names}
        missing = [path for path in found.values() if not os.access(path, os.X_OK)]
        if missing:
            raise CapabilityError(
                f"KUBEBUILDER_ASSETS is set, but there is no {', '.join(missing)}: "
                "run setup-envtest again, or unset it to use a build of our own"
            )
        return found
    install_packages(ETCD_PACKAGES)
    programs = kubernetes_binaries()
    etcd = find_program("etcd") or "etcd"
    return {"etcd": etcd, **{name: str(programs / name) for name in names[1:]}}


def free_ports(count: int) -> list[int]:
    """Return TCP ports of the loopback address on which nothing listens."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _etcd(program: str, directory: Path, port: int, peer_port: int) -> list[str]:
    return [
        program,
        f"--data-dir={directory}/etcd",
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--advertise-client-urls=http://127.0.0.1:{port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        "--unsafe-no-fsync",
    ]


def _apiserver(program: str, directory: Path, etcd_port: int, port: int) -> list[str]:
    pki = directory / "pki"
    return [
        program,
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        # No pod asks for the Service `kubernetes`, and a loopback address may not be advertised.
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        f"--token-auth-file={directory}/tokens.csv",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki}/service-account.key",
        f"--service-account-signing-key-file={pki}/service-account.key",
    ]


def _spawn(directory: Path, command: list[str]) -> subprocess.Popen[bytes]:
    log = directory / f"{Path(command[0]).name}.log"
    # A test that is killed takes both processes with it.
    words = ["setpriv", "--pdeathsig", "KILL", *command]
    with log.open("wb") as sink:
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=environment()
        )


def _wait_ready(plane: ControlPlane, authority: Path) -> None:
    def settled() -> bool:
        ended = any(process.poll() is not None for process in plane.processes)
        return ended or answers(f"{plane.url}/readyz", authority)

    wait_until(settled, READY_SECONDS, f"the API server at {plane.url}")
    for process in plane.processes:
        if process.poll() is not None:
            logs = (path.read_text(errors="replace") for path in plane.directory.glob("*.log"))
            ends = "\n".join(log[-1000:] for log in logs)
            raise BoxError(f"a program of the API server ended with {process.returncode}:\n{ends}")
