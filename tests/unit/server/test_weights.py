import json
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server.weights import Weights, find_weights

from tests.support.server_runtime import make_settings


def write_safetensors(file: Path, tensors: dict[str, tuple[str, list[int]]]) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    for name, (dtype, shape) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]}
    text = json.dumps(header).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(len(text).to_bytes(8, "little") + text)


TENSORS = {"a": ("BF16", [10, 20]), "b": ("F32", [5]), "c": ("I8", [7])}
# Floats are served in the engine's type, 16 bits by default, integers as they are.
SERVED = 10 * 20 * 2 + 5 * 2 + 7
SERVED_IN_32_BITS = 10 * 20 * 4 + 5 * 4 + 7


def test_a_volumes_weights(tmp_path: Path):
    settings = make_settings(model=str(tmp_path), source="Volume")
    assert find_weights(settings, {}) is None
    write_safetensors(tmp_path / "model.safetensors", TENSORS)
    assert find_weights(settings, {}) == Weights(SERVED)


def test_weights_that_are_served_in_32_bits_take_twice_the_memory(tmp_path: Path):
    write_safetensors(tmp_path / "model.safetensors", TENSORS)
    settings = make_settings(model=str(tmp_path), source="Volume", dtype="Float32")
    assert find_weights(settings, {}) == Weights(SERVED_IN_32_BITS)


@pytest.mark.parametrize("dtype", ["Float16", "BFloat16", "Float32"])
def test_int8_weights_and_their_scales_are_held_as_they_are(tmp_path: Path, dtype: str):
    quantized = {
        "a.weight": ("I8", [10, 20]),
        "a.weight_scale": ("F32", [10, 1]),
        "b.weight": ("I8", [3, 7]),
        "b.SCB": ("F32", [3]),
        "b.weight_format": ("U8", []),
    }
    write_safetensors(tmp_path / "model.safetensors", quantized)
    settings = make_settings(model=str(tmp_path), source="Volume", dtype=dtype)
    assert find_weights(settings, {}) == Weights(200 + 40 + 21 + 12 + 1)


def test_hugging_faces_cache_is_followed_from_the_branch_to_its_commit(tmp_path: Path):
    repository = tmp_path / "hub" / "models--WeiboAI--VibeThinker-1.5B"
    settings, environment = make_settings(revision="main"), {"HF_HOME": str(tmp_path)}
    assert find_weights(settings, environment) is None
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0123abc")
    snapshot = repository / "snapshots" / "0123abc"
    write_safetensors(repository / "blobs" / "f00", TENSORS)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert find_weights(settings, environment) is None
    (snapshot / "model.safetensors").symlink_to("../../blobs/f00")
    assert find_weights(settings, environment) == Weights(SERVED)
    assert find_weights(make_settings(revision="0123abc"), environment) == Weights(SERVED)
    assert find_weights(make_settings(revision="other"), environment) is None


@pytest.mark.parametrize("middle", ["hub/models", "models", "hub"])
def test_modelscopes_cache(tmp_path: Path, middle: str):
    settings = make_settings(source="ModelScope")
    environment = {"MODELSCOPE_CACHE": str(tmp_path)}
    assert find_weights(settings, environment) is None
    directory = tmp_path / middle / "WeiboAI/VibeThinker-1___5B"
    write_safetensors(directory / "model.safetensors", TENSORS)
    assert find_weights(settings, environment) == Weights(SERVED)


def test_shards_count_once_all_are_there(tmp_path: Path):
    settings = make_settings(model=str(tmp_path), source="Volume")
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors", "c": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    write_safetensors(tmp_path / "one.safetensors", TENSORS)
    assert find_weights(settings, {}) is None
    write_safetensors(tmp_path / "two.safetensors", TENSORS)
    assert find_weights(settings, {}) == Weights(2 * SERVED)


@pytest.mark.parametrize("content", [b"", b"\x05", b"\xff" * 8, b"\x02\0\0\0\0\0\0\0[]"])
def test_a_header_that_cannot_be_read_leaves_the_bytes_unknown(tmp_path: Path, content: bytes):
    (tmp_path / "model.safetensors").write_bytes(content)
    assert find_weights(make_settings(model=str(tmp_path), source="Volume"), {}) == Weights(None)


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"weight_map": []}'])
def test_a_broken_index_counts_as_not_there(tmp_path: Path, index: str):
    (tmp_path / "model.safetensors.index.json").write_text(index)
    write_safetensors(tmp_path / "one.safetensors", TENSORS)
    assert find_weights(make_settings(model=str(tmp_path), source="Volume"), {}) is None


def test_the_kv_of_a_token_is_told_beside_the_weights(tmp_path: Path):
    write_safetensors(tmp_path / "model.safetensors", TENSORS)
    config = {"num_hidden_layers": 28, "num_attention_heads": 12, "num_key_value_heads": 2}
    (tmp_path / "config.json").write_text(json.dumps(config | {"hidden_size": 1536}))
    settings = make_settings(model=str(tmp_path), source="Volume")
    assert find_weights(settings, {}) == Weights(SERVED, kv_token_bytes=28_672)
    settings = make_settings(model=str(tmp_path), source="Volume", dtype="Float32")
    assert find_weights(settings, {}) == Weights(SERVED_IN_32_BITS, kv_token_bytes=57_344)


@pytest.mark.parametrize("scale", ["weight_scale", "SCB"])
def test_scales_of_int8_weights_stay_in_32_bits(tmp_path: Path, scale: str):
    layer = {"q.weight": ("I8", [10, 20]), f"q.{scale}": ("F32", [10]), "norm": ("BF16", [20])}
    write_safetensors(tmp_path / "model.safetensors", layer)
    settings = make_settings(model=str(tmp_path), source="Volume")
    assert find_weights(settings, {}) == Weights(10 * 20 + 10 * 4 + 20 * 2)
