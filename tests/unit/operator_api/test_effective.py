from typing import Any

from vibethinker_operator.api import Dtype
from vibethinker_operator.effective import EffectiveEngine, resolve_engine

from tests.unit.operator_api.resource import CPU_SPEC, VOLUME_SPEC, make_resource


def resolve(spec: dict[str, Any]) -> EffectiveEngine:
    return resolve_engine(make_resource(spec).spec)


def test_a_gpu_gets_what_a_t4_can_do():
    engine = resolve({})
    assert (engine.dtype, engine.block_size) == (Dtype.FLOAT16, 16)
    assert engine.gpu_memory_utilization_percentage == 85
    assert engine.kv_cache_memory_bytes is None


def test_a_cpu_gets_what_attention_there_takes_and_no_share_of_a_card():
    engine = resolve(CPU_SPEC)
    assert (engine.dtype, engine.block_size) == (Dtype.BFLOAT16, 32)
    assert engine.gpu_memory_utilization_percentage is None
    assert engine.kv_cache_memory_bytes == 2**30


def test_a_cache_of_exact_size_leaves_no_share_of_the_card_to_obey():
    engine = resolve({"engine": {"kvCacheMemoryBytes": 2**30}})
    assert engine.gpu_memory_utilization_percentage is None


def test_what_the_spec_says_holds():
    engine = resolve({"engine": {"dtype": "BFloat16", "blockSize": 64}})
    assert (engine.dtype, engine.block_size) == (Dtype.BFLOAT16, 64)


def test_a_volume_is_a_path_without_a_revision():
    engine = resolve(VOLUME_SPEC)
    assert (engine.model, engine.revision) == ("/model/vibethinker", None)


def test_the_root_of_a_volume_is_the_mount_itself():
    assert resolve({"model": {"source": "Volume", "volume": {"claimName": "m"}}}).model == "/model"


def test_main_means_the_default_branch_on_a_hub_that_calls_it_otherwise():
    assert resolve({}).revision == "main"
    assert resolve({"model": {"source": "ModelScope"}}).revision is None
    assert resolve({"model": {"source": "ModelScope", "revision": "v1"}}).revision == "v1"
