from dataclasses import replace
from typing import Any

import pytest
from vibethinker_server.engine_args import render_engine_args
from vibethinker_server.engine_settings import DataType, Device, EngineSettings, Source
from vibethinker_server.one_click.machine import Gpu, Machine
from vibethinker_server.one_click.options import StartOptions, parse_change
from vibethinker_server.one_click.settings import choose_device, choose_settings
from vibethinker_server.start_error import StartError

from tests.support.machines import CPU_MACHINE, GIB, GPU_MACHINE, T4, with_free

NOTHING_KNOWN = Machine(python="python3")


def settings(machine: Machine, *changes: str, **options: Any) -> EngineSettings:
    parsed = tuple(map(parse_change, changes))
    return choose_settings(machine, StartOptions(changes=parsed, **options))


@pytest.mark.parametrize(
    ("machine", "asked", "device"),
    [
        pytest.param(GPU_MACHINE, None, Device.GPU, id="engine for GPUs"),
        pytest.param(CPU_MACHINE, None, Device.CPU, id="engine for CPUs"),
        pytest.param(replace(CPU_MACHINE, gpus=(T4,)), None, Device.CPU, id="GPU, engine for CPUs"),
        pytest.param(replace(GPU_MACHINE, gpus=()), None, Device.GPU, id="no GPU, engine for GPUs"),
        pytest.param(replace(GPU_MACHINE, engine=None), None, Device.GPU, id="no engine, a GPU"),
        pytest.param(NOTHING_KNOWN, None, Device.CPU, id="nothing"),
        pytest.param(GPU_MACHINE, Device.CPU, Device.CPU, id="as told"),
    ],
)
def test_the_device_is_the_one_asked_for_else_the_engines_else_what_is_there(
    machine: Machine, asked: Device | None, device: Device
):
    assert choose_device(machine, StartOptions(device=asked)) is device


def test_a_gpu_gives_the_share_that_the_resource_gives_and_float16():
    found = settings(GPU_MACHINE)
    assert (found.dtype, found.block_size) == (DataType.FLOAT16, 16)
    assert found.gpu_memory_utilization_percentage == 85
    assert found.kv_cache_memory_bytes is None
    assert (found.port, found.ops_port) == (8080, 8081)


def test_a_gpu_that_others_use_too_gives_less_than_what_is_free():
    found = settings(replace(GPU_MACHINE, gpus=(with_free(T4, 9.0),)))
    assert found.gpu_memory_utilization_percentage == 57  # 60 % free, less 3


def test_of_several_gpus_the_freest_one_decides():
    other = Gpu(1, "L4", total_bytes=22 * GIB, free_bytes=22 * GIB)
    found = settings(replace(GPU_MACHINE, gpus=(with_free(T4, 1.0), other)))
    assert found.gpu_memory_utilization_percentage == 85


def test_a_full_gpu_is_refused_with_what_is_free_and_what_is_needed():
    full = replace(GPU_MACHINE, gpus=(with_free(T4, 1.5),))
    with pytest.raises(StartError, match=r"Tesla T4.*1\.5 GiB of 15\.0 GiB free.*4\.5 GiB"):
        settings(full)
    assert settings(full, model="some/smaller-model")


def test_a_cpu_computes_in_the_type_that_it_is_fast_in():
    assert settings(CPU_MACHINE).dtype is DataType.FLOAT32
    assert settings(replace(CPU_MACHINE, fast_bfloat16=True)).dtype is DataType.BFLOAT16


@pytest.mark.parametrize(
    ("gibibytes", "pool_gibibytes"),
    [
        pytest.param(64, 4.0, id="no more than 16 long sequences need"),
        pytest.param(10, 2.25, id="what weights in Float32 and the engine leave"),
    ],
)
def test_the_pool_of_a_cpu_is_what_memory_leaves(gibibytes: float, pool_gibibytes: float):
    found = settings(replace(CPU_MACHINE, memory_bytes=int(gibibytes * GIB)))
    assert found.kv_cache_memory_bytes == pytest.approx(pool_gibibytes * GIB, rel=0.01)


def test_unknown_memory_is_not_no_memory():
    assert settings(replace(CPU_MACHINE, memory_bytes=None)).kv_cache_memory_bytes == 4 * GIB


def test_too_little_memory_is_refused_unless_the_pool_is_named():
    small = replace(CPU_MACHINE, memory_bytes=4 * GIB)
    with pytest.raises(StartError, match=r"4\.0 GiB of memory to spare.*needs 8\.0 GiB"):
        settings(small)
    assert settings(small, "kvCacheMemoryBytes=1073741824").kv_cache_memory_bytes == GIB


def test_without_a_compiler_a_cpu_runs_uncompiled():
    assert settings(CPU_MACHINE).flags.enforce_eager is None
    assert settings(replace(CPU_MACHINE, has_compiler=False)).flags.enforce_eager is True


def test_what_is_set_wins_over_what_would_be_picked_and_reaches_the_engine():
    found = settings(GPU_MACHINE, "maxModelLen=8192", "flags.seed=7", "flags.kvCacheDtype=Fp8")
    args = render_engine_args(found, 768)
    assert args[args.index("--max-model-len") + 1] == "8192"
    assert args[args.index("--seed") + 1] == "7"
    assert args[args.index("--kv-cache-dtype") + 1] == "fp8"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("maxNumSeq=1", "maxNumSeq"),
        ("flags.trustRemoteCode=true", "flags.trustRemoteCode"),
        ("port=70000", "port"),
        ("dtype=int8", "dtype"),
    ],
)
def test_a_wrong_change_is_refused_with_the_fields_name(change: str, named: str):
    with pytest.raises(StartError, match=f"setting {named}: .*server-settings.md"):
        settings(GPU_MACHINE, change)


def test_no_backend_is_started_but_vllm():
    with pytest.raises(StartError, match="`start` runs vLLM"):
        settings(CPU_MACHINE, "backend=LlamaCpp")


def test_a_change_without_a_value_is_refused():
    with pytest.raises(StartError, match="write FIELD=VALUE"):
        parse_change("maxModelLen")


@pytest.mark.parametrize(
    ("source", "changes", "revision"),
    [
        (Source.HUGGING_FACE, (), "main"),
        (Source.HUGGING_FACE, (("source", "ModelScope"),), None),
        (Source.VOLUME, (), None),
    ],
)
def test_only_a_repository_of_the_hub_has_a_branch_named_main(
    source: Source, changes: tuple[tuple[str, Any], ...], revision: str | None
):
    options = StartOptions(model="/models/a b" if source is Source.VOLUME else "a/b")
    found = choose_settings(GPU_MACHINE, replace(options, changes=changes), source)
    assert found.revision == revision
