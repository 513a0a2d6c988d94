"""What a checkpoint's config.json says: its name, and the KV of one token."""

import json
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server.known_models import VIBETHINKER_1_5B, VIBETHINKER_3B, KvShape
from vibethinker_server.model_config import (
    ModelConfig,
    identify_model,
    kv_token_bytes,
    read_model_config,
)

from tests.support.server_runtime import make_settings

QWEN: dict[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"],
    "hidden_size": 1536,
    "num_hidden_layers": 28,
    "num_attention_heads": 12,
    "num_key_value_heads": 2,
}


def write(directory: Path, config: Any) -> Path:
    (directory / "config.json").write_text(json.dumps(config))
    return directory


def test_the_kv_of_the_1_5b_follows_from_its_config(tmp_path: Path):
    found = read_model_config(write(tmp_path, QWEN))
    assert found == ModelConfig(None, KvShape(layers=28, heads=2, head_size=128))
    assert found.kv == VIBETHINKER_1_5B.kv


@pytest.mark.parametrize(
    ("change", "shape"),
    [
        ({"head_dim": 64}, KvShape(28, 2, 64)),
        ({"num_key_value_heads": None}, KvShape(28, 12, 128)),
        ({"num_attention_heads": None}, None),
        ({"num_attention_heads": 0}, None),
        ({"num_hidden_layers": "28"}, None),
        ({"num_hidden_layers": True}, None),
        ({"hidden_size": None}, None),
    ],
)
def test_a_config_that_leaves_something_out_is_not_guessed_at(
    tmp_path: Path, change: dict[str, Any], shape: KvShape | None
):
    assert read_model_config(write(tmp_path, QWEN | change)).kv == shape


@pytest.mark.parametrize("text", [None, "", "[]", "no JSON", "\xff"])
def test_a_config_that_cannot_be_read_says_nothing(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "config.json").write_text(text, encoding="latin-1")
    assert read_model_config(tmp_path) == ModelConfig(None, None)


def test_a_repository_is_named_by_the_settings():
    assert identify_model(make_settings()) is VIBETHINKER_1_5B
    assert identify_model(make_settings(model="WeiboAI/VibeThinker-3B")) is VIBETHINKER_3B
    assert identify_model(make_settings(source="ModelScope")) is VIBETHINKER_1_5B
    assert identify_model(make_settings(model="somebody/else")) is None


@pytest.mark.parametrize(
    ("named", "known"),
    [
        ({"_name_or_path": "WeiboAI/VibeThinker-3B"}, True),
        ({"_name_or_path": "/data/VibeThinker-3B"}, True),
        ({"_name_or_path": "Qwen/Qwen2.5-3B"}, False),
        ({"_name_or_path": ""}, False),
        ({"_name_or_path": 7}, False),
        ({}, False),
    ],
)
def test_a_volume_is_what_its_config_was_saved_from_and_not_what_its_path_says(
    tmp_path: Path, named: dict[str, Any], known: bool
):
    directory = tmp_path / "VibeThinker-3B"
    directory.mkdir()
    write(directory, QWEN | named)
    found = identify_model(make_settings(model=str(directory), source="Volume"))
    assert found is (VIBETHINKER_3B if known else None)


@pytest.mark.parametrize(
    ("settings", "float_bytes", "expected"),
    [({}, 2, 28_672), ({}, 4, 57_344), ({"flags": {"kvCacheDtype": "Fp8"}}, 2, 14_336)],
)
def test_the_bytes_of_a_token_follow_the_type_of_the_cache(
    settings: dict[str, Any], float_bytes: int, expected: int
):
    found = kv_token_bytes(VIBETHINKER_1_5B.kv, make_settings(**settings), float_bytes)
    assert found == expected
