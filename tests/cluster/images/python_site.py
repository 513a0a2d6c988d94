"""Python packages installed into a directory of their own, for images and for PYTHONPATH."""

import sys
from pathlib import Path

from tests.cluster.cache import cached, key_of
from tests.cluster.capabilities import CapabilityError, find_program, require_disk
from tests.cluster.commands import run
from tests.cluster.progress import step

# The base image's Python: compiled packages fit no other.
PYTHON_VERSION = (3, 11)
BOOTSTRAP_UV = Path(__file__).parents[1] / "bootstrap-uv.sh"


def site(name: str, requirements: Path, gigabytes: float) -> Path:
    """Return a directory with exactly the packages of `requirements`, installed on first use.

    Args:
        name: what the directory is for; it becomes `name-site-<key>` in the cache.
        requirements: the resolved set with hashes; nothing else is installed.
        gigabytes: room (10^9 bytes) that it takes.

    Raises:
        CapabilityError: there is no Python of PYTHON_VERSION, or too little disk.
        CommandError: a package could not be installed.
    """

    def build(target: Path) -> None:
        require_disk(target, gigabytes, f"installing the packages of the {name} image")
        with step(f"installing the packages of the {name} image"):
            uv = run([BOOTSTRAP_UV]).strip()
            options = ["--python", find_python(), "--no-deps", "--require-hashes"]
            speed = ["--compile-bytecode", "--link-mode", "hardlink"]
            run([uv, "pip", "install", *options, *speed, "-r", requirements, "--target", target])

    return cached(f"{name}-site", key_of(requirements), build)


def find_python() -> str:
    """Return the path of a Python of PYTHON_VERSION.

    Raises:
        CapabilityError: there is none.
    """
    if sys.version_info[:2] == PYTHON_VERSION:
        return sys.executable
    name = "python{}.{}".format(*PYTHON_VERSION)
    found = find_program(name)
    if found is None:
        raise CapabilityError(f"the test images' packages need {name}: install it and run again")
    return found
