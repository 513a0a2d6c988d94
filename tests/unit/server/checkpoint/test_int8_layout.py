"""What an INT8 checkpoint holds, and what the real model takes: field/engine.md, section 8."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.int8_layout import (
    Method,
    check_linear_layers,
    estimate_bytes,
    is_quantized,
    lay_out,
)
from vibethinker_server.checkpoint.qwen2_shapes import qwen2_tensors
from vibethinker_server.checkpoint.safetensors_header import StoredTensor, TensorShape
from vibethinker_server.checkpoint.shard_plan import place_tensors, plan_shards, render_index

from tests.support.checkpoints import CONFIG, VIBETHINKER

REAL = qwen2_tensors(VIBETHINKER)
LINEAR_WEIGHTS = 28 * 7


def stored(tmp_path: Path, tensors: Iterable[TensorShape]) -> list[StoredTensor]:
    return [StoredTensor(each.name, each.dtype, each.shape, tmp_path, 0) for each in tensors]


def test_the_real_models_size_before_and_after():
    assert estimate_bytes(REAL) == 3_087_428_608
    assert estimate_bytes(REAL, Method.W8A8) == 1_779_813_376
    # bitsandbytes stores the order of each weight's bytes beside it, in one byte.
    assert estimate_bytes(REAL, Method.BITSANDBYTES) == 1_779_813_376 + LINEAR_WEIGHTS


def test_an_output_layer_of_its_own_is_kept_as_it_is():
    untied = qwen2_tensors(VIBETHINKER | {"tie_word_embeddings": False})
    extra = 151_936 * 1536 * 2
    assert estimate_bytes(untied) == 3_087_428_608 + extra
    assert estimate_bytes(untied, Method.W8A8) == 1_779_813_376 + extra


def test_exactly_the_linear_layers_of_the_blocks_are_quantised():
    quantized = [tensor.name for tensor in REAL if is_quantized(tensor.name)]
    assert len(quantized) == LINEAR_WEIGHTS
    for kept in ("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"):
        assert not is_quantized(kept)
    assert not is_quantized("model.layers.0.self_attn.q_proj.bias")


def test_weight_and_scales_stand_for_a_linear_layer():
    weight = TensorShape("model.layers.3.mlp.up_proj.weight", "BF16", (96, 64))
    layer = "model.layers.3.mlp.up_proj"
    assert lay_out(weight, Method.W8A8) == (
        TensorShape(f"{layer}.weight", "I8", (96, 64)),
        TensorShape(f"{layer}.weight_scale", "F32", (96, 1)),
    )
    assert lay_out(weight, Method.BITSANDBYTES) == (
        TensorShape(f"{layer}.weight", "I8", (96, 64)),
        TensorShape(f"{layer}.SCB", "F32", (96,)),
        TensorShape(f"{layer}.weight_format", "U8", ()),
    )


def test_a_missing_weight_is_named():
    tensors = [each for each in qwen2_tensors(CONFIG) if "layers.1.mlp.up_proj" not in each.name]
    with pytest.raises(CheckpointError, match=r"m: lacks tensor model\.layers\.1\.mlp\.up_proj"):
        check_linear_layers("m", tensors, 2)
    check_linear_layers("m", tensors, 1)


@pytest.mark.parametrize(("dtype", "shape"), [("I8", (4, 4)), ("BF16", (4,)), ("BF16", (0, 4))])
def test_a_weight_that_is_no_matrix_of_floats_is_named(dtype: str, shape: tuple[int, ...]):
    name = "model.layers.0.mlp.up_proj.weight"
    tensors = [each for each in qwen2_tensors(CONFIG) if each.name != name]
    with pytest.raises(CheckpointError, match=rf"{name} is {dtype} \["):
        check_linear_layers("m", [*tensors, TensorShape(name, dtype, shape)], 2)


def test_the_real_model_fits_one_file_and_every_tensor_is_in_exactly_one(tmp_path: Path):
    (plan,) = plan_shards(stored(tmp_path, REAL), Method.W8A8)
    assert plan.name == "model.safetensors"
    plans = plan_shards(stored(tmp_path, REAL), Method.W8A8, 500_000_000)
    assert [plan.name for plan in plans] == [
        f"model-0000{number}-of-00004.safetensors" for number in (1, 2, 3, 4)
    ]
    for plan in plans:
        assert sum(part.byte_count for part in plan.parts) <= 500_000_000
    index = json.loads(render_index(plans))
    assert index["metadata"]["total_size"] == 1_779_813_376
    assert len(index["weight_map"]) == len(REAL) + LINEAR_WEIGHTS


@pytest.mark.parametrize("method", list(Method))
def test_values_lie_where_their_type_may_be_read_in_place(tmp_path: Path, method: Method):
    (plan,) = plan_shards(stored(tmp_path, qwen2_tensors(CONFIG)), method)
    begins = place_tensors(plan).begins
    sizes = {"F32": 4, "BF16": 2, "I8": 1, "U8": 1}
    for part in plan.parts:
        for tensor in part.written:
            assert begins[tensor.name] % sizes[tensor.dtype] == 0


def test_one_tensor_larger_than_a_file_gets_a_file_of_its_own(tmp_path: Path):
    plans = plan_shards(stored(tmp_path, qwen2_tensors(CONFIG)), Method.W8A8, 1)
    assert all(len(plan.parts) == 1 for plan in plans)
