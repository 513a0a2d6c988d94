"""What an earlier run of a box left in containerd's store, whose images outlive it."""

from tests.cluster.commands import run
from tests.cluster.layout import CONTAINERD_SOCKET

CTR = ("ctr", "--address", str(CONTAINERD_SOCKET), "--namespace", "k8s.io")


def remove_stale_containers() -> bool:
    """Remove the records of containers whose processes went with their box; tell if any were.

    Their snapshots go too: a container's snapshot has the container's own name.
    """
    names = run([*CTR, "containers", "list", "--quiet"]).split()
    for name in names:
        run([*CTR, "containers", "delete", name])
    return bool(names)
