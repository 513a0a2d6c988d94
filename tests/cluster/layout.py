"""Where everything of one box is: its files on disk and its addresses inside."""

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cache import cache_root

# Each box has a network of its own, so all of them use the same addresses and ports.
NODE_ADDRESS = "10.99.0.1"
SERVICE_RANGE = "10.0.0.0/24"
API_SERVICE_ADDRESS = "10.0.0.1"
POD_RANGE = "10.88.0.0/16"
API_PORT = 6443
ETCD_URL = "http://127.0.0.1:2379"
# Below the tmpfs that a box mounts on /run, so each box has its own.
CONTAINERD_RUN = Path("/run/containerd")
CONTAINERD_SOCKET = CONTAINERD_RUN / "containerd.sock"


@dataclass(frozen=True)
class Layout:
    """The files of the box `name`; all of them are below `root`."""

    name: str

    @property
    def root(self) -> Path:
        """Everything of this box, containerd's images included, which outlive `down`."""
        return cache_root() / "boxes" / self.name

    @property
    def state(self) -> Path:
        """What one run of the box writes; the next run begins without it."""
        return self.root / "state"

    @property
    def containerd(self) -> Path:
        """containerd's content, images and snapshots."""
        return self.root / "containerd"

    @property
    def lock(self) -> Path:
        """Held while the box is started or stopped."""
        return self.root / "lock"

    @property
    def identity(self) -> Path:
        """JSON: the process id and start time of the box's first process."""
        return self.root / "process.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; its address is reachable inside the box only."""
        return self.state / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Keys, certificates and tokens."""
        return self.state / "pki"

    @property
    def config(self) -> Path:
        """Configuration files of the components."""
        return self.state / "config"

    @property
    def logs(self) -> Path:
        """One file a component, and `boot.log`."""
        return self.state / "logs"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, one JSON object a line."""
        return self.logs / "audit.log"

    @property
    def control_socket(self) -> Path:
        """Where the box's first process takes requests."""
        return self.state / "control.sock"

    @property
    def cgroup(self) -> str:
        """The root of this box's pods in every cgroup hierarchy, as kubelet names it."""
        return f"/vibethinker-{self.name}"
