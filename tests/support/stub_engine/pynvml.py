# ruff: noqa: N802 (NVML's own names)
"""A stand-in for nvidia-ml-py: one card, whose use the stub engine sets when it starts."""

import os
from types import SimpleNamespace

TOTAL_BYTES = int(os.environ.get("STUB_DEVICE_BYTES", str(16 * 2**30)))
NVML_DEVICE_MIG_ENABLE = 1
device = SimpleNamespace(used_bytes=0, busy_percentage=0)


class NVMLError(Exception):
    """What a real card refuses with."""


def nvmlInit() -> None:
    """Does nothing: there is no driver."""


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
    return SimpleNamespace(total=TOTAL_BYTES, used=handle.used_bytes)


def nvmlDeviceGetUtilizationRates(handle: SimpleNamespace) -> SimpleNamespace:
    """Returns percentages."""
    return SimpleNamespace(gpu=handle.busy_percentage, memory=0)
