from pathlib import Path

import pytest
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.gguf_header import GgufHeader
from vibethinker_server.checkpoint.gguf_metadata import stamp_of, wanted_stamp
from vibethinker_server.checkpoint.gguf_plan import Outtype, parse_outtype, plan_tensors
from vibethinker_server.checkpoint.qwen2_shapes import qwen2_tensors
from vibethinker_server.checkpoint.safetensors_header import StoredTensor, TensorShape

from tests.support.checkpoints import VIBETHINKER

MODEL = VIBETHINKER | {"max_position_embeddings": 131_072}


def stored(tensor: TensorShape) -> StoredTensor:
    return StoredTensor(tensor.name, tensor.dtype, tensor.shape, Path("model.safetensors"), 0)


def bytes_of_vibethinker(outtype: Outtype) -> int:
    tensors = map(stored, qwen2_tensors(MODEL))
    return sum(each.byte_count for each in plan_tensors(MODEL, tensors, outtype))


def test_the_sizes_of_vibethinker_1_5b():
    # Parameters: 1,543,714,304. Norms and biases stay in 4 bytes: 144,896 of them.
    matrices, vectors = 1_543_569_408, 144_896
    assert bytes_of_vibethinker(Outtype.F16) == 2 * matrices + 4 * vectors == 3_087_718_400
    assert bytes_of_vibethinker(Outtype.BF16) == 3_087_718_400
    assert bytes_of_vibethinker(Outtype.Q8_0) == matrices * 34 // 32 + 4 * vectors
    assert bytes_of_vibethinker(Outtype.Q8_0) == 1_640_622_080


def test_rotary_frequencies_of_old_checkpoints_are_left_out():
    old = TensorShape("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", (64,))
    tensors = [stored(each) for each in (*qwen2_tensors(MODEL), old)]

    assert len(plan_tensors(MODEL, tensors, Outtype.F16)) == len(tensors) - 1


def test_where_the_config_does_not_say_the_output_layer_that_is_there_counts():
    silent = {key: value for key, value in MODEL.items() if key != "tie_word_embeddings"}
    tied = [stored(each) for each in qwen2_tensors(MODEL)]
    own = [stored(each) for each in qwen2_tensors(MODEL | {"tie_word_embeddings": False})]

    assert len(plan_tensors(silent, tied, Outtype.F16)) == len(tied)
    assert plan_tensors(silent, own, Outtype.F16)[-1].name == "output.weight"
    assert len(plan_tensors(MODEL, own, Outtype.F16)) == len(tied)


@pytest.mark.parametrize("text", ["q4_K_M", "", "int8"])
def test_an_outtype_that_is_not_known_names_those_that_are(text: str):
    with pytest.raises(CheckpointError, match="known are f16, bf16, q8_0"):
        parse_outtype(text)


def test_an_outtype_in_capitals():
    assert parse_outtype("Q8_0") is Outtype.Q8_0


def test_a_stamp_is_read_back():
    stamp = wanted_stamp(Outtype.Q8_0, "ab12")

    assert stamp.source == "ab12"
    assert stamp_of(header_of("vibethinker-1-ab12", 7)) == stamp
    for source, number in (("", 7), ("vibethinker-1-ab12", 2), ("other-1-ab12", 7)):
        assert stamp_of(header_of(source, number)) is None


def header_of(source: str, file_type: int) -> GgufHeader:
    values: dict[str, int | float | bool | str] = {
        "general.source.uuid": source,
        "general.file_type": file_type,
    }
    return GgufHeader("qwen2", values, {}, ())
