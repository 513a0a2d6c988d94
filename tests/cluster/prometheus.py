"""Prometheus and promtool out of Debian's package, unpacked beside the machine, never installed.

Installed, the package would start a service on the machine that the tests run on.
"""

import re
from pathlib import Path

from tests.cluster.cache import cache_root, cached, key_of, locked
from tests.cluster.capabilities import CapabilityError, find_program
from tests.cluster.commands import run
from tests.cluster.progress import step

PACKAGE = "prometheus"
# keep_firing_for came with it.
OLDEST = (2, 42)


def prometheus_binaries() -> Path:
    """Return a directory with `prometheus` and `promtool`, unpacked on first use.

    Raises:
        CapabilityError: this is no Debian, or the package is too old.
        CommandError: apt-get or dpkg-deb failed.
    """
    return cached("prometheus", key_of(Path(__file__)), _unpack) / "usr/bin"


def _unpack(target: Path) -> None:
    if find_program("apt-get") is None or find_program("dpkg-deb") is None:
        raise CapabilityError("Prometheus comes out of Debian's package, and this is no Debian")
    with step("unpacking prometheus"), locked(cache_root() / "locks" / "packages"):
        run(["apt-get", "update"])
        run(["apt-get", "download", PACKAGE], cwd=target)
        (package,) = target.glob("*.deb")
        run(["dpkg-deb", "-x", package, target])
        package.unlink()
        _check_version(run([target / "usr/bin/promtool", "--version"]))


def _check_version(said: str) -> None:
    found = re.search(r"version (\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise CapabilityError(f"Debian's prometheus is older than {oldest}: {said.splitlines()[0]}")
