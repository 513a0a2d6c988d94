"""Builds the targets of the project's own Dockerfile, without a Docker engine."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.cluster.cache import cache_root, locked
from tests.cluster.capabilities import require_disk
from tests.cluster.commands import run
from tests.cluster.images.archive import write_archive
from tests.cluster.images.debian import base_key, base_layer
from tests.cluster.packages import IMAGE_PACKAGES, install_packages
from tests.cluster.progress import step

CHECKOUT = Path(__file__).parents[3]
BUILD_INPUTS = (
    "Dockerfile",
    "LICENSE",
    "README.md",
    "operator",
    "pyproject.toml",
    "server",
    "uv.lock",
)
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
BUILD_GIGABYTES = 4
# The stage both images copy from has a name, or pruning would take it and every build start anew.
SHARED_STAGE, SHARED_NAME = "package", "localhost/vibethinker-package:latest"
LOCK = cache_root() / "locks" / "buildah"


def build_inputs() -> list[Path]:
    """Return the files and directories of the checkout that the Dockerfile's images depend on."""
    return [CHECKOUT / name for name in BUILD_INPUTS]


def build_target(target: str, name: str) -> None:
    """Build one target of the Dockerfile into buildah's store; unchanged steps are not repeated.

    Args:
        target: the stage's name in the Dockerfile.
        name: repository and tag of the image.

    Raises:
        CapabilityError: something to build with is missing.
        CommandError: the build failed; its last lines are in the message.
    """
    install_packages(IMAGE_PACKAGES)
    require_disk(cache_root(), BUILD_GIGABYTES, f"building {name}")
    with locked(LOCK), _scratch() as scratch:
        base = _import_base(scratch)
        with step(f"building {name}"):
            options = ["--isolation", "chroot", "--layers", "--build-arg", f"BASE_IMAGE={base}"]
            for stage, tag in ((SHARED_STAGE, SHARED_NAME), (target, name)):
                tagged = ("--target", stage, "--tag", tag)
                _buildah("bud", *options, *_client_settings(scratch), *tagged, str(CHECKOUT))
        _buildah("rmi", "--prune", "--force")


def write_target(sink: IO[bytes], name: str) -> None:
    """Write an image that `build_target` built as a docker-archive."""
    with locked(LOCK), _scratch() as scratch:
        archive = scratch / "image.tar"
        _buildah("push", "--quiet", name, f"docker-archive:{archive}:{name}")
        with archive.open("rb") as built:
            shutil.copyfileobj(built, sink)


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=cache_root(), prefix="image-build-") as name:
        yield Path(name)


def _buildah(command: str, *arguments: str) -> str:
    store = cache_root() / "buildah"
    places = ("--root", f"{store}/root", "--runroot", f"{store}/run")
    return run(["buildah", *places, "--storage-driver", "overlay", command, *arguments])


def _import_base(scratch: Path) -> str:
    """Return the name of the test base in buildah's store; a store with another base is emptied."""
    name = f"localhost/vibethinker-base:{base_key()}"
    layer = base_layer()
    known = _buildah("images", "--format", "{{.Name}}:{{.Tag}}").split()
    if name not in known:
        _buildah("rmi", "--all", "--force")
        archive = scratch / "base.tar"
        with archive.open("wb") as sink:
            write_archive(sink, name, [layer], {"Cmd": ["/bin/sh"]})
        _buildah("pull", "--quiet", f"docker-archive:{archive}")
        archive.unlink()
    return name


def _client_settings(scratch: Path) -> list[str]:
    """Return the options by which package clients inside the build reach what this machine does.

    They are mounts over the clients' own system-wide files, so that neither the Dockerfile nor
    the image knows of them.
    """
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL")
    uv = ["native-tls = true", *([f'index-url = "{index}"'] if index else [])]
    pip = ["[global]", f"cert = {CERTIFICATES}", *([f"index-url = {index}"] if index else [])]
    mounts = {"/etc/uv/uv.toml": uv, "/etc/pip.conf": pip}
    options = ["--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
    for target, lines in mounts.items():
        file = scratch / Path(target).name
        file.write_text("\n".join([*lines, ""]))
        options += ["--volume", f"{file}:{target}:ro"]
    return options
