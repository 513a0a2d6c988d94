"""The Debian packages the box is made of, installed where missing."""

import os
from pathlib import Path

from tests.cluster.cache import cache_root, locked
from tests.cluster.capabilities import CapabilityError, find_program
from tests.cluster.commands import run
from tests.cluster.progress import step

# What the box runs: a program, or a file, and the Debian package that brings it.
BOX_PACKAGES = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "nft": "nftables",
    "ip": "iproute2",
    "openssl": "openssl",
}
IMAGE_PACKAGES = {"buildah": "buildah", "debootstrap": "debootstrap"}


def install_packages(wanted: dict[str, str]) -> None:
    """Install the packages of `wanted` whose program is not on this machine.

    Raises:
        CapabilityError: something is missing, and this is no Debian or we are not root.
        CommandError: apt-get failed.
    """
    with locked(cache_root() / "locks" / "packages"):
        missing = sorted({package for item, package in wanted.items() if not _present(item)})
        if not missing:
            return
        if find_program("apt-get") is None or os.geteuid() != 0:
            raise CapabilityError(
                f"missing: {', '.join(missing)} (names of Debian packages): install them, "
                "or run as root on Debian, where they are installed by themselves"
            )
        with step(f"installing {', '.join(missing)}"):
            run(["apt-get", "update"])
            run(
                ["apt-get", "install", "--yes", "--no-install-recommends", *missing],
                env={"DEBIAN_FRONTEND": "noninteractive"},
            )


def _present(item: str) -> bool:
    return Path(item).exists() if item.startswith("/") else find_program(item) is not None
