"""The base of every test image: a minimal Debian with Python, made by debootstrap."""

import re
from pathlib import Path

from tests.cluster.cache import cached, key_of
from tests.cluster.capabilities import CapabilityError, require_disk
from tests.cluster.commands import run
from tests.cluster.images.archive import Tree
from tests.cluster.packages import IMAGE_PACKAGES, install_packages
from tests.cluster.progress import step

SUITE = "bookworm"
# libnuma1 is vLLM's: its CPU worker does not start without.
PACKAGES = ("ca-certificates", "libnuma1", "python3", "python3-venv")
BASE_GIGABYTES = 1
# What a container never reads.
LEAVE_OUT = (
    "dev/*",
    "proc/*",
    "sys/*",
    "usr/share/doc/*",
    "usr/share/locale/*",
    "usr/share/man/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
)


def base_inputs() -> tuple[str, ...]:
    """Return what the base depends on."""
    return (SUITE, *PACKAGES, *LEAVE_OUT)


def base_key() -> str:
    """Return the hash of what the base depends on."""
    return key_of(*base_inputs())


def base_layer() -> Tree:
    """Return the base's layer, built on first use.

    Raises:
        CapabilityError: the machine's apt sources name no Debian mirror, or the disk is full.
        CommandError: debootstrap failed.
    """
    root = cached("base", key_of(SUITE, *PACKAGES), _build)
    return Tree(root, keep_owners=True, leave_out=LEAVE_OUT)


def _build(target: Path) -> None:
    install_packages(IMAGE_PACKAGES)
    require_disk(target, BASE_GIGABYTES, "the base of the test images")
    with step(f"building the base of the test images (Debian {SUITE})"):
        include = f"--include={','.join(PACKAGES)}"
        run(["debootstrap", "--variant=minbase", include, SUITE, target, debian_mirror()])


def debian_mirror(sources: Path = Path("/etc/apt")) -> str:
    """Return the address of the first mirror in the machine's apt sources that has SUITE."""
    files = [sources / "sources.list", *sorted((sources / "sources.list.d").glob("*"))]
    for file in files:
        if not file.is_file():
            continue
        text = file.read_text()
        found = re.search(rf"^deb (?:\[.*?\] )?(\S+) {SUITE} ", text, re.MULTILINE) or re.search(
            rf"^URIs: (\S+)[^\n]*\nSuites:[^\n]*\b{SUITE}(?= |$)", text, re.MULTILINE
        )
        if found:
            return found[1]
    raise CapabilityError(
        f"no apt source of this machine names a mirror with Debian {SUITE}, of which the test "
        f"images are built: add one to {sources}/sources.list.d"
    )
