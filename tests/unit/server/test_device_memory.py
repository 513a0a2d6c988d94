from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vibethinker_server.device_memory import CgroupProbe, NvmlProbe
from vibethinker_server.load import DeviceMemory

GIB = 2**30
DATA = Path(__file__).parents[2] / "data" / "cgroup"


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V1_STAT = (DATA / "v1-memory.stat").read_text()
V2_STAT = (DATA / "v2-memory.stat").read_text()


def test_v2_reads_anonymous_memory_and_the_limit(tmp_path: Path):
    root = put(tmp_path, {"memory.stat": V2_STAT, "memory.max": f"{6 * GIB}\n"})
    own = put(tmp_path, {"own": "0::/\n"}) / "own"
    assert CgroupProbe(root, own).read_memory() == DeviceMemory(6 * GIB, 1_531_904)


def test_v2_in_a_group_of_the_hosts_tree(tmp_path: Path):
    root = put(
        tmp_path / "fs",
        {"memory.stat": "anon 1\n", "kube/pod/memory.stat": V2_STAT, "kube/pod/memory.max": "9\n"},
    )
    own = put(tmp_path, {"own": "0::/kube/pod\n"}) / "own"
    assert CgroupProbe(root, own).read_memory() == DeviceMemory(9, 1_531_904)


def test_v1_inside_a_container_reads_the_mount(tmp_path: Path):
    stat = V1_STAT.replace("9223372036854771712", str(4 * GIB))
    root = put(tmp_path / "fs", {"memory/memory.stat": stat})
    own = put(tmp_path, {"own": "4:memory:/kubepods/pod1/abc\n0::/\n"}) / "own"
    assert CgroupProbe(root, own).read_memory() == DeviceMemory(4 * GIB, 1927569408)


def test_v1_on_the_host_reads_its_own_group_and_the_lower_of_the_limits(tmp_path: Path):
    stat = V1_STAT.replace("9223372036854771712", str(4 * GIB))
    root = put(
        tmp_path / "fs",
        {
            "memory/memory.stat": "total_rss 5\n",
            "memory/a/b/memory.stat": stat,
            "memory/a/b/memory.limit_in_bytes": f"{3 * GIB}\n",
            "unified/cgroup.procs": "",
        },
    )
    own = put(tmp_path, {"own": "9:cpu,cpuacct:/c\n4:memory:/a/b\n0::/\n"}) / "own"
    assert CgroupProbe(root, own).read_memory() == DeviceMemory(3 * GIB, 1927569408)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"memory.stat": V2_STAT, "memory.max": "max\n"}, id="v2 without a limit"),
        pytest.param({"memory.stat": V2_STAT}, id="v2 root group, which has no memory.max"),
        pytest.param({"memory/memory.stat": V1_STAT}, id="v1 without a limit"),
        pytest.param({"memory.stat": "file 1\n", "memory.max": "5\n"}, id="no anon"),
        pytest.param({"memory.stat": "anon x\n", "memory.max": "5\n"}, id="no number"),
        pytest.param({"memory.max": "5\n"}, id="no stat"),
        pytest.param({}, id="no cgroup at all"),
    ],
)
def test_what_no_cgroup_tells_is_unknown(tmp_path: Path, files: dict[str, str]):
    root = put(tmp_path, files)
    assert CgroupProbe(root, tmp_path / "none").read_memory() is None
    assert CgroupProbe(root).read_utilization_ratio() is None


class NVMLError(Exception):
    pass


def refuse(*_: Any) -> Any:
    raise NVMLError


def fake_nvml(**changes: Any) -> Any:
    """Returns pynvml's functions over one plain card, as nvidia-ml-py has them."""
    card, instance = SimpleNamespace(name="card"), SimpleNamespace(name="instance")
    sizes = {"card": (24 * GIB, 20 * GIB), "instance": (5 * GIB, 4 * GIB)}
    functions: dict[str, Any] = {
        "NVMLError": NVMLError,
        "NVML_DEVICE_MIG_ENABLE": 1,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetHandleByIndex": lambda index: card,
        "nvmlDeviceGetHandleByUUID": lambda uuid: instance if uuid.startswith("MIG-") else card,
        "nvmlDeviceGetMigMode": lambda handle: (0, 0),
        "nvmlDeviceGetMaxMigDeviceCount": lambda handle: 7,
        "nvmlDeviceGetMigDeviceHandleByIndex": lambda handle, index: (
            instance if index == 0 else refuse()
        ),
        "nvmlDeviceGetComputeRunningProcesses": lambda handle: [object()],
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(
            total=sizes[handle.name][0], used=sizes[handle.name][1]
        ),
        "nvmlDeviceGetUtilizationRates": lambda handle: SimpleNamespace(gpu=37, memory=5),
    }
    return SimpleNamespace(**(functions | changes))


CARD, INSTANCE = DeviceMemory(24 * GIB, 20 * GIB), DeviceMemory(5 * GIB, 4 * GIB)


def split(handle: Any) -> tuple[int, int]:
    return (1, 1)


@pytest.mark.parametrize(
    ("environment", "changes", "expected"),
    [
        pytest.param({}, {}, CARD, id="the one card"),
        pytest.param({"CUDA_VISIBLE_DEVICES": "GPU-1"}, {}, CARD, id="a card by uuid"),
        pytest.param({"CUDA_VISIBLE_DEVICES": "MIG-1"}, {}, INSTANCE, id="an instance by uuid"),
        pytest.param({}, {"nvmlDeviceGetMigMode": split}, INSTANCE, id="the one instance"),
        pytest.param({}, {"nvmlDeviceGetMigMode": refuse}, CARD, id="a card that knows no MIG"),
        pytest.param(
            {},
            {"nvmlDeviceGetMigMode": split, "nvmlDeviceGetMigDeviceHandleByIndex": lambda h, i: h},
            None,
            id="several instances: which is ours is not known",
        ),
        pytest.param(
            {},
            {"nvmlDeviceGetComputeRunningProcesses": lambda handle: [1, 2]},
            None,
            id="a card that a second process shares",
        ),
        pytest.param({"CUDA_MPS_PIPE_DIRECTORY": "/tmp"}, {}, None, id="shared through MPS"),  # noqa: S108
        pytest.param({}, {"nvmlDeviceGetMemoryInfo": refuse}, None, id="NVML refuses"),
        pytest.param({}, {"nvmlInit": refuse}, None, id="no driver"),
        pytest.param(
            {},
            {"nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(total=0, used=0)},
            None,
            id="a card without memory",
        ),
    ],
)
def test_the_gpus_memory(
    environment: dict[str, str], changes: dict[str, Any], expected: DeviceMemory | None
):
    assert NvmlProbe(fake_nvml(**changes), environment).read_memory() == expected


def test_utilization_is_a_ratio_and_unknown_where_nvml_has_none():
    assert NvmlProbe(fake_nvml(), {}).read_utilization_ratio() == 0.37
    refused = fake_nvml(nvmlDeviceGetUtilizationRates=refuse)
    assert NvmlProbe(refused, {}).read_utilization_ratio() is None


def test_a_card_that_comes_back_is_found_again():
    nvml = fake_nvml()
    whole, nvml.nvmlDeviceGetMemoryInfo = nvml.nvmlDeviceGetMemoryInfo, refuse
    probe = NvmlProbe(nvml, {})
    assert probe.read_memory() is None
    nvml.nvmlDeviceGetMemoryInfo = whole
    assert probe.read_memory() == CARD
