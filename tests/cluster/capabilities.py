"""What the box needs of this machine, checked before anything is changed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class CapabilityError(Exception):
    """This machine lacks something the box needs; the message names it and says what to do."""


def find_program(name: str) -> str | None:
    """Return the path of a program, system directories included, or None."""
    return shutil.which(name) or shutil.which(name, path=SYSTEM_PATH)


def require_programs(*names: str, reason: str) -> None:
    """Raise CapabilityError where one of the programs is not on this machine."""
    missing = [name for name in names if find_program(name) is None]
    if missing:
        raise CapabilityError(f"{reason} needs {', '.join(missing)}: install it and run again")


def require_root() -> None:
    """Raise CapabilityError unless this process is root."""
    if os.geteuid() != 0:
        raise CapabilityError(
            "the box needs root for its namespaces, overlay mounts and cgroups: "
            "run as root, or use a cluster of your own"
        )


def require_namespaces() -> None:
    """Raise CapabilityError where the kernel refuses new net, mount and pid namespaces."""
    require_programs("unshare", "nsenter", "setpriv", "mount", reason="the box")
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CapabilityError(
            "the kernel refuses new net, mount and pid namespaces "
            f"({done.stderr.strip()}): run in a machine or container that has CAP_SYS_ADMIN"
        )


def require_overlay(directory: Path) -> None:
    """Raise CapabilityError where overlayfs cannot have its layers in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        layers = [Path(scratch, name) for name in ("lower", "upper", "work", "merged")]
        for layer in layers:
            layer.mkdir()
        lower, upper, work, merged = layers
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = f"mount -t overlay overlay -o {options} {merged}"
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mount], capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        raise CapabilityError(
            f"overlayfs cannot be mounted in {directory} ({done.stderr.strip()}): "
            "set VIBETHINKER_CACHE to a directory on ext4 or xfs"
        )


def require_disk(directory: Path, gigabytes: float, purpose: str) -> None:
    """Raise CapabilityError where fewer than `gigabytes` (10^9 bytes) are free at `directory`."""
    free_gigabytes = shutil.disk_usage(directory).free / 1e9
    if free_gigabytes < gigabytes:
        raise CapabilityError(
            f"{purpose} needs {gigabytes:.0f} GB of free disk at {directory}, "
            f"which has {free_gigabytes:.1f} GB: free some, or set VIBETHINKER_CACHE elsewhere"
        )


def cgroup_hierarchies() -> list[Path]:
    """Return the mount point of every cgroup hierarchy, v1 controllers and v2 alike."""
    lines = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return [Path(line[1]) for line in lines if line[2] in {"cgroup", "cgroup2"}]


def require_cgroups() -> None:
    """Raise CapabilityError where this process cannot make a cgroup with a memory limit."""
    memory = [path for path in cgroup_hierarchies() if has_memory_controller(path)]
    if not memory or not os.access(memory[0], os.W_OK):
        raise CapabilityError(
            "no writable cgroup hierarchy with the memory controller is mounted: "
            "mount cgroups at /sys/fs/cgroup, writable (a container needs --privileged)"
        )


def has_memory_controller(hierarchy: Path) -> bool:
    """Tell whether a cgroup hierarchy limits memory."""
    controllers = hierarchy / "cgroup.controllers"
    if controllers.exists():
        return "memory" in controllers.read_text().split()
    return (hierarchy / "memory.limit_in_bytes").exists() or hierarchy.name == "memory"
