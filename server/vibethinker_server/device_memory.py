"""Reads the device's memory: a GPU through NVML, a CPU through the container's cgroup.

What cannot be told for sure is None. A reading must be of what this pod alone uses: on a card
that several processes share, raw use says nothing about this engine.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from vibethinker_server.load import DeviceMemory

CGROUP_ROOT = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")
# cgroup v1 writes "no limit" as the largest number of whole pages; no machine has an exbibyte.
NO_LIMIT_BYTES = 1 << 60
# The CUDA variables by which a card is shared through NVIDIA's MPS.
MPS_VARIABLES = ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE")


class DeviceProbe(Protocol):
    """Reads one device."""

    def read_memory(self) -> DeviceMemory | None:
        """Returns the device's memory now, None: not known."""
        ...

    def read_utilization_ratio(self) -> float | None:
        """Returns the share of the last moments in which the device computed, None: not known."""
        ...


class CgroupProbe:
    """Reads the container's memory: anonymous memory in use, and its limit."""

    def __init__(self, root: Path = CGROUP_ROOT, own_cgroups: Path = OWN_CGROUPS) -> None:
        self._root = root
        self._own_cgroups = own_cgroups

    def read_memory(self) -> DeviceMemory | None:
        """Returns anonymous bytes and limit; None without a limit or where no cgroup tells."""
        v1 = self._root / "memory"
        # On hybrid machines both hierarchies are mounted and v1 has the memory controller.
        if (v1 / "memory.stat").exists():
            return self._read_v1(v1)
        return self._read_v2()

    def read_utilization_ratio(self) -> float | None:
        """Returns None: a CPU has no such figure, and 0 would read as idle."""
        return None

    def _read_v1(self, mount: Path) -> DeviceMemory | None:
        group = self._own(mount, "memory")
        stat = _read_stat(group / "memory.stat")
        limits = [
            stat.get("hierarchical_memory_limit"),
            _read_bytes(group / "memory.limit_in_bytes"),
        ]
        return _reading(stat.get("total_rss"), limits)

    def _read_v2(self) -> DeviceMemory | None:
        group = self._own(self._root, "")
        stat = _read_stat(group / "memory.stat")
        return _reading(stat.get("anon"), [_read_bytes(group / "memory.max")])

    def _own(self, mount: Path, controller: str) -> Path:
        """Returns the directory of our own group: inside a container mostly the mount itself."""
        try:
            lines = self._own_cgroups.read_text().splitlines()
        except OSError:
            return mount
        for line in lines:
            _, controllers, path = line.split(":", 2)
            if controller in controllers.split(","):
                group = mount / path.lstrip("/")
                return group if (group / "memory.stat").exists() else mount
        return mount


def _reading(used: int | None, limits: list[int | None]) -> DeviceMemory | None:
    limit = min((bytes_ for bytes_ in limits if bytes_ is not None), default=NO_LIMIT_BYTES)
    if used is None or not 0 < limit < NO_LIMIT_BYTES:
        return None
    return DeviceMemory(total_bytes=limit, used_bytes=used)


def _read_stat(file: Path) -> dict[str, int]:
    try:
        pairs = (line.split() for line in file.read_text().splitlines())
        return {name: int(value) for name, value in pairs}
    except (OSError, ValueError):
        return {}


def _read_bytes(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # v2 writes "max" where there is no limit
        return None


class NvmlProbe:
    """Reads one NVIDIA GPU, or the MIG instance that this pod was given."""

    def __init__(self, nvml: Any, environment: Mapping[str, str]) -> None:
        """Takes pynvml as `nvml`; `environment` says which of the cards is ours."""
        self._nvml = nvml
        self._environment = environment
        self._handle: Any = None

    def read_memory(self) -> DeviceMemory | None:
        """Returns the card's or instance's memory, None where NVML refuses or others share it."""
        try:
            handle = self._device()
            if handle is None or self._is_shared(handle):
                return None
            memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
            total, used = int(memory.total), int(memory.used)
        except self._nvml.NVMLError:
            self._handle = None
            return None
        return DeviceMemory(total, used) if 0 <= used <= total and total > 0 else None

    def read_utilization_ratio(self) -> float | None:
        """Returns NVML's GPU utilization, None where it has none (a MIG instance)."""
        try:
            handle = self._device()
            if handle is None:
                return None
            return float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
        except self._nvml.NVMLError:
            return None

    def _device(self) -> Any:
        if self._handle is None:
            self._nvml.nvmlInit()
            self._handle = self._find()
        return self._handle

    def _find(self) -> Any:
        """Returns the handle of the one device that CUDA will take, None if that is not certain."""
        wanted = self._environment.get("CUDA_VISIBLE_DEVICES", "")
        named = wanted.split(",")[0].strip()
        if named.startswith(("GPU-", "MIG-")):
            return self._nvml.nvmlDeviceGetHandleByUUID(named)
        card = self._nvml.nvmlDeviceGetHandleByIndex(int(named) if named.isdigit() else 0)
        if not self._is_split(card):
            return card
        instances = self._instances(card)
        return instances[0] if len(instances) == 1 else None

    def _is_split(self, card: Any) -> bool:
        try:
            current, _ = self._nvml.nvmlDeviceGetMigMode(card)
        except self._nvml.NVMLError:  # cards before Ampere know no MIG
            return False
        return bool(current == self._nvml.NVML_DEVICE_MIG_ENABLE)

    def _instances(self, card: Any) -> list[Any]:
        found = []
        for index in range(self._nvml.nvmlDeviceGetMaxMigDeviceCount(card)):
            try:
                found.append(self._nvml.nvmlDeviceGetMigDeviceHandleByIndex(card, index))
            except self._nvml.NVMLError:  # a slot without an instance, or one that is not ours
                continue
        return found

    def _is_shared(self, handle: Any) -> bool:
        """Tells whether others compute on it: by MPS, or as a second process beside the engine."""
        if any(variable in self._environment for variable in MPS_VARIABLES):
            return True
        return len(self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)) > 1
