"""Brings a box up: checks first, then builds side by side, then its first process."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cluster.binaries import kubernetes_binaries
from tests.cluster.box import Box
from tests.cluster.cache import locked
from tests.cluster.capabilities import (
    cgroup_hierarchies,
    require_cgroups,
    require_disk,
    require_namespaces,
    require_overlay,
    require_root,
)
from tests.cluster.commands import CommandError
from tests.cluster.images import PAUSE, Image
from tests.cluster.packages import BOX_PACKAGES, IMAGE_PACKAGES, install_packages
from tests.cluster.process import BoxError, remove_traces, wait_until, write_identity
from tests.cluster.progress import step

DEFAULT_NAME = "vibethinker"
CHECKOUT = Path(__file__).parents[2]
READY_SECONDS = 120.0
# Pods, logs and etcd of a test run; images ask for their own room.
RUN_GIGABYTES = 2


def start_box(name: str = DEFAULT_NAME, images: Sequence[Image] = ()) -> Box:
    """Return a box with a Ready node and the images loaded; what is there already is kept.

    Args:
        name: tells boxes apart that stand side by side.
        images: made available to pods, in this order.

    Raises:
        CapabilityError: this machine lacks something; the message says what to do.
        BoxError: a component did not become ready.
        CommandError: a build failed.
    """
    box = Box(name)
    check(box)
    install_packages({**BOX_PACKAGES, **(IMAGE_PACKAGES if images else {})})
    wanted = {image.keyed_name: image for image in (PAUSE, *images)}
    loaded = box.loaded_images() if box.alive else set()
    missing = [image for keyed_name, image in wanted.items() if keyed_name not in loaded]
    with ThreadPoolExecutor(max_workers=2) as builds:
        # The compiler needs the processors, the images mostly the network and the disk.
        prepared = builds.submit(_prepare, missing)
        programs = builds.submit(kubernetes_binaries).result()
        with locked(box.layout.lock):
            if not box.alive:
                with step(f"starting the box {name!r}"):
                    _start(box, programs)
        prepared.result()
    loaded = box.loaded_images()
    for keyed_name, image in wanted.items():
        if keyed_name not in loaded:
            box.import_image(image, keyed_name)
    return box


def check(box: Box) -> None:
    """Raise CapabilityError where this machine cannot run `box`."""
    require_root()
    require_namespaces()
    require_cgroups()
    require_overlay(box.layout.root)
    require_disk(box.layout.root, RUN_GIGABYTES, "running the box")


def _prepare(images: Sequence[Image]) -> None:
    for image in images:
        image.prepare()


def _start(box: Box, programs: Path) -> None:
    layout = box.layout
    remove_traces(layout)
    layout.logs.mkdir(parents=True)
    for hierarchy in cgroup_hierarchies():
        (hierarchy / layout.cgroup[1:]).mkdir(exist_ok=True)
    boot = [sys.executable, "-u", "-m", "tests.cluster.boot", layout.name, str(programs)]
    namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    with (layout.logs / "boot.log").open("wb") as log:
        outer = subprocess.Popen(
            ["unshare", *namespaces, *boot],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        write_identity(layout, outer)
        wait_until(lambda: _ready(box), READY_SECONDS, f"the box (logs are in {layout.logs})")
    except BaseException:
        outer.kill()
        raise
    # It outlives this process on purpose, and a Popen that is never waited for complains.
    outer.returncode = 0


def _ready(box: Box) -> bool:
    if not box.alive:
        log = (box.layout.logs / "boot.log").read_text(errors="replace")
        raise BoxError(f"the box ended while it started; boot.log ends:\n{log[-2000:]}")
    if not box.layout.control_socket.exists():
        return False
    box.control()
    node = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    try:
        return box.kubectl("get", "node", box.name, "--output", node) == "True"
    except CommandError:
        return False  # the node registers itself a moment after kubelet serves
