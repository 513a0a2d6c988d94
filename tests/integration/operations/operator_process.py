"""The operator as a plain process in a box: ended by -9 and begun again without any back-off."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.cluster import Box
from tests.cluster.images import SERVER, STUB_ENGINE
from tests.cluster.layout import API_PORT, NODE_ADDRESS
from tests.cluster.pki import User, write_kubeconfig
from tests.integration.operations.box_network import BoxNetwork
from tests.integration.operations.kube import wait_for

CHECKOUT = Path(__file__).parents[3]
SYSTEM = "vibethinker-system"
ACCOUNT = "vibethinker-operator"
HEALTHZ = "http://127.0.0.1:8080/healthz"
METRICS = "http://127.0.0.1:9090/metrics"
START_SECONDS = 60.0


class OperatorProcess:
    """One operator at a time, with its service account's rights and no others."""

    def __init__(self, box: Box, network: BoxNetwork, directory: Path) -> None:
        self._box, self._network = box, network
        self._kubeconfig = directory / "operator.kubeconfig"
        self.log = directory / "operator.log"
        self._outer: subprocess.Popen[bytes] | None = None
        words = ("create", "token", "-n", SYSTEM, ACCOUNT, "--duration=24h")
        account = User(ACCOUNT, "", box.kubectl(*words).strip())
        server = f"https://{NODE_ADDRESS}:{API_PORT}"
        write_kubeconfig(self._kubeconfig, server, box.layout.pki / "ca.crt", account)

    def start(self, *, package_image: str = SERVER.name, wait: bool = True) -> None:
        """Starts it and returns once it is healthy, or at once where `wait` is false."""
        assert self._outer is None, "it runs already"
        environment = {
            "KUBECONFIG": str(self._kubeconfig),
            "OPERATOR_NAMESPACE": SYSTEM,
            "PYTHONPATH": str(CHECKOUT / "operator"),
            "PYTHONUNBUFFERED": "1",
            "VIBETHINKER_ENGINE_IMAGE_GPU": STUB_ENGINE.name,
            "VIBETHINKER_PACKAGE_IMAGE": package_image,
        }
        command = [sys.executable, "-m", "vibethinker_operator"]
        with self.log.open("ab") as log:
            self._outer = subprocess.Popen(
                self._box.enter(command, cwd=CHECKOUT),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if wait:
            self.wait_healthy()

    def wait_healthy(self) -> None:
        """Returns once it is healthy."""
        wait_for(self._healthy_or_gone, "the operator's health", seconds=START_SECONDS)
        assert self.running, f"the operator ended:\n{self.tail()}"

    def kill(self) -> None:
        """Ends it by SIGKILL: nothing is cleaned up, nothing is said."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """Ends it as a kubelet does, by SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)
        self._wait()

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._outer is not None and self._outer.poll() is None

    @property
    def pid(self) -> int:
        """The operator's own process, which is the only child of its `nsenter`."""
        assert self._outer is not None
        outer = self._outer.pid
        children = Path(f"/proc/{outer}/task/{outer}/children")
        return int(wait_for(lambda: children.read_text().split(), "the operator's process")[0])

    def is_healthy(self) -> bool:
        """Whether /healthz answers with 200."""
        try:
            return self._network.call(httpx.get, HEALTHZ, timeout=5).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def metrics(self) -> str:
        """Returns its page."""
        return self._network.call(httpx.get, METRICS, timeout=5).text

    def failed_writes(self, kind: str) -> float:
        """Returns how many writes of that kind have failed since it started."""
        series = f'vibethinker_operator_failed_writes_total{{kind="{kind}"}} '
        lines = (line for line in self.metrics().splitlines() if line.startswith(series))
        return sum(float(line.removeprefix(series)) for line in lines)

    def tail(self) -> str:
        """Returns the end of its log, for messages."""
        return self.log.read_text(errors="replace")[-4000:]

    def _healthy_or_gone(self) -> bool:
        return not self.running or self.is_healthy()

    def _wait(self) -> None:
        assert self._outer is not None
        self._outer.wait(30)
        self._outer = None
