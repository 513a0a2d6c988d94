"""The engine's settings for a machine, where nobody has written them down. Pure.

They are the resource's own defaults, less what this machine lacks room for. What each of them means
to vLLM is known to `engine_args` alone.
"""

from typing import Any

from pydantic import ValidationError

from vibethinker_server.engine_settings import DataType, Device, EngineSettings, Source
from vibethinker_server.known_models import VIBETHINKER_1_5B, KnownModel, find_known_model
from vibethinker_server.one_click.machine import Gpu, Machine
from vibethinker_server.one_click.options import StartOptions, apply_changes
from vibethinker_server.start_error import StartError

GIB = 2**30
MAX_MODEL_LEN = 4096
# What is left of a GPU to display, driver and fragmentation.
SPARE_PERCENTAGE = 3
UTILIZATION_PERCENTAGE = 85
# Beside the weights: CUDA itself and one long sequence.
LEAST_GPU_BYTES = int(1.625 * GIB)
# Measured: vLLM's two processes on a CPU, without weights and pool.
CPU_PROCESSES_BYTES = 2 * GIB
MOST_CPU_POOL_BYTES = 4 * GIB
ELEMENT_BYTES = {DataType.BFLOAT16: 2, DataType.FLOAT16: 2, DataType.FLOAT32: 4}
# Time for the requests in flight once the process is told to end.
DRAIN_SECONDS = 30


def choose_device(machine: Machine, options: StartOptions) -> Device:
    """Returns what the engine will compute on: as told, else as its build can, else as there is."""
    if options.device is not None:
        return options.device
    if machine.engine is not None:
        return machine.engine.device
    return Device.GPU if machine.gpus else Device.CPU


def choose_gpu(machine: Machine) -> Gpu | None:
    """Returns the GPU with the most free memory, None where none is known."""
    return max(machine.gpus, key=lambda gpu: gpu.free_bytes, default=None)


def choose_settings(
    machine: Machine, options: StartOptions, source: Source = Source.HUGGING_FACE
) -> EngineSettings:
    """Returns the settings for this machine with the options' changes.

    Args:
        machine: where it will run.
        options: what was asked for; `options.model` is a repository or an absolute path.
        source: where the model comes from.

    Raises:
        StartError: the model has no room here, or a change breaks a rule of the settings.
    """
    device = choose_device(machine, options)
    changed = {path for path, _ in options.changes}
    if "backend" in changed:
        raise StartError("setting backend: `start` runs vLLM; llama.cpp is a pod's: leave it out")
    # ModelScope's default branch has another name.
    has_main = source is Source.HUGGING_FACE and "source" not in changed
    picked: dict[str, Any] = {
        "model": options.model,
        "revision": options.revision or ("main" if has_main else None),
        "source": source,
        "servedName": options.served_name,
        "device": device,
        "maxModelLen": MAX_MODEL_LEN,
        "maxNumBatchedTokens": MAX_MODEL_LEN,
        "port": options.port,
        "opsPort": options.ops_port,
        "drainSeconds": DRAIN_SECONDS,
    }
    model = find_known_model(options.model)
    # Any other model on a CPU is taken to be a small one.
    small = model or VIBETHINKER_1_5B
    on_cpu = device is Device.CPU
    picked |= _on_cpu(machine, changed, small) if on_cpu else _on_gpu(machine, model)
    try:
        return EngineSettings.model_validate(apply_changes(picked, options.changes))
    except ValidationError as error:
        raise StartError("; ".join(map(_sentence, error.errors()))) from error


def _on_gpu(machine: Machine, model: KnownModel | None) -> dict[str, Any]:
    gpu = choose_gpu(machine)
    picked = {"dtype": DataType.FLOAT16, "blockSize": 16, "maxNumSeqs": 128}
    if gpu is None:
        return picked | {"gpuMemoryUtilizationPercentage": UTILIZATION_PERCENTAGE}
    least = LEAST_GPU_BYTES + model.parameters * ELEMENT_BYTES[DataType.FLOAT16] if model else 0
    if gpu.free_bytes < least:
        raise StartError(
            f"GPU {gpu.index} ({gpu.name}) has {gigabytes(gpu.free_bytes)} of"
            f" {gigabytes(gpu.total_bytes)} free, and the model needs"
            f" {gigabytes(least)}: end what uses it (nvidia-smi names it)"
        )
    # vLLM refuses a share that is not free at its start.
    free = gpu.free_bytes * 100 // gpu.total_bytes - SPARE_PERCENTAGE
    percentage = max(1, min(UTILIZATION_PERCENTAGE, free))
    return picked | {"gpuMemoryUtilizationPercentage": percentage}


def _on_cpu(machine: Machine, changed: set[str], model: KnownModel) -> dict[str, Any]:
    # Without the instructions, BFloat16 computes at a tenth of Float32's speed (measured).
    dtype = DataType.BFLOAT16 if machine.fast_bfloat16 else DataType.FLOAT32
    picked: dict[str, Any] = {"dtype": dtype, "blockSize": 32, "maxNumSeqs": 16}
    if "kvCacheMemoryBytes" not in changed:
        picked["kvCacheMemoryBytes"] = _cpu_pool_bytes(machine, model, ELEMENT_BYTES[dtype])
    if not machine.has_compiler:
        picked["flags"] = {"enforceEager": True}
    return picked


def _cpu_pool_bytes(machine: Machine, model: KnownModel, element_bytes: int) -> int:
    """Returns the KV pool's size: vLLM touches it whole at its start, so it must be there."""
    if machine.memory_bytes is None:
        return MOST_CPU_POOL_BYTES
    taken = model.parameters * element_bytes + CPU_PROCESSES_BYTES
    least = model.kv.values_per_token * element_bytes * MAX_MODEL_LEN
    left = machine.memory_bytes - taken
    if left < least:
        raise StartError(
            f"this machine has {gigabytes(machine.memory_bytes)} of memory to spare, and the model"
            f" needs {gigabytes(taken + least)} on a CPU: end what uses it. For a smaller model,"
            " name the size of its KV cache: --set kvCacheMemoryBytes=1073741824"
        )
    return min(MOST_CPU_POOL_BYTES, left)


def _sentence(part: Any) -> str:
    field = ".".join(str(step) for step in part["loc"])
    where = f"setting {field}: " if field else ""
    return f"{where}{part['msg']} (docs/server-settings.md lists the settings)"


def gigabytes(count: int) -> str:
    """Returns a number of bytes as people read it."""
    return f"{count / GIB:.1f} GiB"
