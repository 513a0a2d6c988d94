# ruff: noqa: N802 (NVML's own names)
"""A stand-in for nvidia-ml-py: one card, whose use the stub engine sets when it starts."""

import os
from types import SimpleNamespace

TOTAL_BYTES = int(os.environ.get("STUB_DEVICE_BYTES", str(16 * 2**30)))
NVML_DEVICE_MIG_ENABLE = 1
NVML_ERROR_LIBRARY_NOT_FOUND = 12
NVML_ERROR_DRIVER_NOT_LOADED = 9
device = SimpleNamespace(used_bytes=0, busy_percentage=0)


class NVMLError(Exception):
    """What a real card refuses with."""


def nvmlInit() -> None:
    """Does nothing: there is no driver."""


def nvmlShutdown() -> None:
    """Does nothing either."""


def nvmlSystemGetDriverVersion() -> str:
    """Returns the version of the driver that is not there."""
    return os.environ.get("STUB_DRIVER_VERSION", "580.65.06")


def nvmlSystemGetCudaDriverVersion_v2() -> int:
    """Returns the newest CUDA that it runs, in thousands."""
    return int(os.environ.get("STUB_DRIVER_CUDA", "13000"))


def nvmlDeviceGetCount() -> int:
    """Returns the number of cards."""
    return 1


def nvmlDeviceGetName(handle: object) -> str:
    """Returns the card's name."""
    return "Stub T4"


def nvmlDeviceGetHandleByIndex(index: int) -> SimpleNamespace:
    """Returns the one card."""
    return device


def nvmlDeviceGetMigMode(handle: object) -> tuple[int, int]:
    """Returns current and pending mode: not split."""
    return 0, 0


def nvmlDeviceGetComputeRunningProcesses(handle: object) -> list[object]:
    """Returns the one process, the engine."""
    return [object()]


def nvmlDeviceGetMemoryInfo(handle: SimpleNamespace) -> SimpleNamespace:
    """Returns the card's memory in bytes."""
    used = handle.used_bytes
    return SimpleNamespace(total=TOTAL_BYTES, used=used, free=TOTAL_BYTES - used)


def nvmlDeviceGetUtilizationRates(handle: SimpleNamespace) -> SimpleNamespace:
    """Returns percentages."""
    return SimpleNamespace(gpu=handle.busy_percentage, memory=0)
