"""Texts of an engine whose machine lacks something. Pure."""

import re

from vibethinker_doctor.words import Change, Word, plain

DRIVER = plain(
    "the NVIDIA driver is older than the engine needs",
    "update the node's driver (vLLM 0.33 is built for CUDA 13, which takes driver 580 or newer), or"
    " run an engine image that is built for an older CUDA",
    Change("engine.image"),
)

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
        pattern=re.compile(
            r"(?:No space left on device.*(?:/dev/shm|/psm_|/torch_)"
            r"|(?:/dev/shm|/psm_|/torch_).*No space left on device)"
        ),
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
