"""Reads the machine: its GPUs through NVML, its processors and memory, and the engine installed.

Nothing of the engine is imported: torch alone takes seconds, and where it does not fit the driver
its own message is what we are to replace.
"""

import ctypes
import importlib
import os
import re
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vibethinker_server.device_memory import CgroupProbe
from vibethinker_server.one_click.machine import (
    CPU_DISTRIBUTION,
    GPU_DISTRIBUTION,
    CudaVersion,
    Driver,
    Gpu,
    InstalledEngine,
    Machine,
)

COMPILERS = ("g++", "clang++", "c++")
# What Linux calls the instructions that compute in BFloat16: x86's two, and Arm's.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def read_machine(environment: Mapping[str, str]) -> Machine:
    """Returns what this machine is now."""
    gpus, driver, trouble = read_gpus(_import_nvml(), environment)
    cpus = usable_cpus()
    return Machine(
        python=sys.executable,
        engine=read_engine(),
        gpus=gpus,
        driver=driver,
        gpu_trouble=trouble,
        memory_bytes=free_memory(),
        cpus=cpus,
        limited_cpus=cpus < (os.cpu_count() or 1),
        fast_bfloat16=not BFLOAT16_FLAGS.isdisjoint(_text(Path("/proc/cpuinfo")).split()),
        has_compiler=any(map(shutil.which, COMPILERS)),
        has_libnuma=_loads("libnuma.so.1"),
    )


def read_engine() -> InstalledEngine | None:
    """Returns the vLLM of this Python, None where there is none."""
    for distribution in (GPU_DISTRIBUTION, CPU_DISTRIBUTION):
        try:
            return InstalledEngine(distribution, version(distribution), _torch_cuda())
        except PackageNotFoundError:
            continue
    return None


def _torch_cuda() -> CudaVersion | None:
    """Returns the CUDA that torch was built for, from the text of its version."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    text = _text(Path(spec.origin).with_name("version.py"))
    found = re.search(r"^cuda\b.*=\s*'(\d+)\.(\d+)'", text, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else None


def _import_nvml() -> Any:
    try:
        return importlib.import_module("pynvml")
    except ImportError:  # the build for CPUs does not bring it
        return None


def read_gpus(
    nvml: Any, environment: Mapping[str, str]
) -> tuple[tuple[Gpu, ...], Driver | None, str | None]:
    """Returns GPUs, driver, and what is wrong with the driver; `nvml` is pynvml or None."""
    if nvml is None:
        return (), None, None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        # No library: no driver was ever installed here, which is no fault.
        missing = error.value in (
            nvml.NVML_ERROR_LIBRARY_NOT_FOUND,
            nvml.NVML_ERROR_DRIVER_NOT_LOADED,
        )
        return (), None, None if missing else str(error)
    try:
        driver = Driver(_decode(nvml.nvmlSystemGetDriverVersion()), _driver_cuda(nvml))
        return _visible(_list_gpus(nvml), environment), driver, None
    except nvml.NVMLError as error:
        return (), None, str(error)
    finally:
        nvml.nvmlShutdown()


def _driver_cuda(nvml: Any) -> CudaVersion:
    number = int(nvml.nvmlSystemGetCudaDriverVersion_v2())
    return number // 1000, number % 1000 // 10


def _list_gpus(nvml: Any) -> list[Gpu]:
    found = []
    for index in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        name = _decode(nvml.nvmlDeviceGetName(handle))
        found.append(Gpu(index, name, int(memory.total), int(memory.free)))
    return found


def _visible(gpus: list[Gpu], environment: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Returns the GPUs to choose from: the first of CUDA_VISIBLE_DEVICES alone where it is set."""
    wanted = environment.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return tuple(gpus)
    first = wanted.split(",")[0].strip()
    if first and not first.isdigit():  # a UUID: one is visible, but which one is not known here
        return tuple(gpus[:1])
    return tuple(gpu for gpu in gpus if str(gpu.index) == first)


def usable_cpus(root: Path = Path("/sys/fs/cgroup")) -> int:
    """Returns the processors that this process may use, by affinity and by the cgroup's quota."""
    cpus = len(os.sched_getaffinity(0))
    quota, _, period = _text(root / "cpu.max").strip().partition(" ")
    if not period:  # cgroup v1
        quota = _text(root / "cpu/cpu.cfs_quota_us").strip()
        period = _text(root / "cpu/cpu.cfs_period_us").strip()
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        cpus = min(cpus, max(1, int(quota) // int(period)))
    return cpus


def free_memory(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Returns the bytes of memory that can be had: the machine's, and within the cgroup's limit."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", _text(meminfo), re.MULTILINE)
    group = CgroupProbe().read_memory()
    free = [int(found[1]) * 1024] if found else []
    free += [group.total_bytes - group.used_bytes] if group else []
    return min(free, default=None)


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _decode(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
