"""Why the engine ended, by what it wrote: vLLM's own words, and what to do about them. Pure.

The last line of a failed start is mostly "Engine core initialization failed. See root cause above",
which helps nobody. Each text is spelled as vLLM 0.32 and 0.33, torch or the system writes it.
"""

from collections.abc import Mapping

REMEDIES: Mapping[str, str] = {
    "No space left on device": (
        "a disk is full: make room in the home directory's .cache, or set HF_HOME and"
        " VLLM_CACHE_ROOT to directories on another disk"
    ),
    "The NVIDIA driver on your system is too old": (
        "the NVIDIA driver is too old for the installed engine: update it"
    ),
    "Address already in use": "a port was taken meanwhile: choose another with --port",
    "is less than desired GPU memory utilization": (
        "another process uses the GPU: end it, or leave the engine less with"
        " --set gpuMemoryUtilizationPercentage=60"
    ),
    "CUDA out of memory": (
        "the GPU's memory is too small for this: lower --set maxNumSeqs=32, or"
        " --set maxNumBatchedTokens=2048"
    ),
    "No available memory for the cache blocks": (
        "nothing is left for the KV cache: raise --set gpuMemoryUtilizationPercentage=90, or end"
        " what else uses the GPU"
    ),
    "To serve at least one request with the model's max seq len": (
        "one request of full length does not fit: lower --set maxModelLen=2048, or on a CPU raise"
        " --set kvCacheMemoryBytes"
    ),
    "is greater than the derived max_model_len": (
        "the model's context is shorter than that: lower --set maxModelLen"
    ),
    "on kv cache allocation is less than requested memory for kv": (
        "the memory does not hold the KV cache: lower --set kvCacheMemoryBytes=1073741824"
    ),
    "Bfloat16 is only supported on GPUs with compute capability": (
        "this GPU does not compute in BFloat16: --set dtype=Float16"
    ),
    "Failed to find C compiler": "a C compiler is missing: `apt-get install gcc`",
    "Python.h: No such file": "Python's headers are missing: `apt-get install python3-dev`",
}


def explain_failure(log: str) -> str | None:
    """Returns what to do about the failure that `log` tells of, None where it is not known."""
    return next((remedy for text, remedy in REMEDIES.items() if text in log), None)


def last_lines(log: str, count: int = 15) -> str:
    """Returns the end of a log, indented."""
    return "\n".join(f"    {line}" for line in log.splitlines()[-count:])
