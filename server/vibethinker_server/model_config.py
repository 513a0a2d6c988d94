"""Reads a checkpoint's config.json: which model it says it is, and the shape of its KV cache."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vibethinker_server.engine_settings import EngineSettings, KvCacheDataType, Source
from vibethinker_server.known_models import KnownModel, KvShape, find_known_model

CONFIG = "config.json"


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What config.json says; None where it does not."""

    name: str | None
    kv: KvShape | None


def read_model_config(directory: Path) -> ModelConfig:
    """Returns what the config.json of a checkpoint says, nothing where it cannot be read."""
    try:
        config = json.loads((directory / CONFIG).read_bytes())
    except (OSError, ValueError):
        return ModelConfig(None, None)
    if not isinstance(config, Mapping):
        return ModelConfig(None, None)
    name = config.get("_name_or_path")
    return ModelConfig(name if isinstance(name, str) and name else None, _kv_shape(config))


def identify_model(settings: EngineSettings) -> KnownModel | None:
    """Returns the known model that these settings serve, None: another, or nobody says.

    A repository is named by the settings. A volume is whatever its config.json was saved from: its
    path is the owner's to choose and proves nothing.
    """
    if settings.source is not Source.VOLUME and not settings.model.startswith("/"):
        return find_known_model(settings.model)
    name = read_model_config(Path(settings.model)).name
    return None if name is None else find_known_model(name)


def kv_token_bytes(shape: KvShape, settings: EngineSettings, float_bytes: int) -> int:
    """Returns the bytes of KV of one token, as the engine of these settings will keep it.

    Args:
        shape: of the model.
        settings: of the engine.
        float_bytes: bytes of one number of the type served.
    """
    fp8 = settings.flags.kv_cache_dtype is KvCacheDataType.FP8
    return shape.values_per_token * (1 if fp8 else float_bytes)


def _kv_shape(config: Mapping[str, Any]) -> KvShape | None:
    layers, heads = config.get("num_hidden_layers"), config.get("num_attention_heads")
    kv_heads = config.get("num_key_value_heads") or heads
    head_size = config.get("head_dim") or _divide(config.get("hidden_size"), heads)
    needed = (layers, kv_heads, head_size)
    known = [number for number in needed if type(number) is int and number > 0]
    return KvShape(*known) if len(known) == len(needed) else None


def _divide(width: Any, heads: Any) -> int | None:
    if type(width) is not int or type(heads) is not int or heads < 1:
        return None
    return width // heads
