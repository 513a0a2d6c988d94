"""Texts of an engine whose machine lacks something. Pure."""

import re

from vibethinker_doctor.finding import Finding
from vibethinker_doctor.words import Change, Word, plain

Cuda = tuple[int, int]

DRIVER = plain(
    "the NVIDIA driver is older than the engine needs",
    "update the node's driver (vLLM 0.33 is built for CUDA 13, which takes driver 580 or newer), or"
    " run an engine image that is built for an older CUDA",
    Change("engine.image"),
)

FIRST_DRIVERS = {11: "450", 12: "525", 13: "580"}
"""The first driver of each major version of CUDA: within one, newer minor versions run on it."""


def find_old_driver(driver: str, runs: Cuda, engine: str, built_for: Cuda) -> Finding | None:
    """Returns that the driver does not run what the engine is built for; None where it does.

    Args:
        driver: its version.
        runs: the newest CUDA that it runs.
        engine: name and version of the engine.
        built_for: the CUDA that the engine is built for.
    """
    if runs[0] >= built_for[0]:
        return None
    first = FIRST_DRIVERS.get(built_for[0])
    return Finding(
        code="DriverTooOld",
        cause="the NVIDIA driver is older than the engine needs",
        evidence=f"driver {driver} runs CUDA {_show(runs)} at most; {engine} is built for CUDA"
        f" {_show(built_for)}",
        remedy=f"install {f'driver {first} or newer' if first else 'a newer driver'}, or an engine"
        f" built for CUDA {runs[0]}",
    )


def _show(version: Cuda) -> str:
    return f"{version[0]}.{version[1]}"


MACHINE_WORDS = (
    Word(
        code="DriverTooOld",
        pattern=re.compile(r"The NVIDIA driver on your system is too old"),
        explain=DRIVER,
    ),
    Word(
        code="DriverTooOld",
        pattern=re.compile(r"CUDA driver version is insufficient for CUDA runtime version"),
        explain=DRIVER,
    ),
    Word(
        code="SharedMemoryFull",
        pattern=re.compile(r"^(?=.*No space left on device).*(?:/dev/shm|/psm_|/torch_)"),
        explain=plain(
            "the shared memory (/dev/shm) is full, where the engine's processes exchange messages",
            "give the container more shared memory (`--shm-size=1g`; our own pods have 1 GiB)",
        ),
    ),
    Word(
        code="DiskFull",
        pattern=re.compile(r"No space left on device"),
        explain=plain(
            "a disk is full",
            "make room where the caches are (in a pod `model.cache.sizeLimit` or its claim; on a"
            " machine .cache in the home directory, or HF_HOME and VLLM_CACHE_ROOT elsewhere)",
        ),
    ),
    Word(
        code="PortTaken",
        pattern=re.compile(r"[Aa]ddress already in use"),
        explain=plain("another process has the port", "end it, or choose another with --port"),
    ),
    Word(
        code="CompilerMissing",
        pattern=re.compile(r"Failed to find C compiler"),
        explain=plain("a C compiler is missing", "`apt-get install gcc`"),
    ),
    Word(
        code="PythonHeadersMissing",
        pattern=re.compile(r"Python\.h: No such file"),
        explain=plain("Python's headers are missing", "`apt-get install python3-dev`"),
    ),
)
