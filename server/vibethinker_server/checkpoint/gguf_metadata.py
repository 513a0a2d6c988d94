"""What a GGUF file says about its model, from the checkpoint's JSON files. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.gguf_header import GgufHeader
from vibethinker_server.checkpoint.gguf_plan import Dimensions, Outtype
from vibethinker_server.checkpoint.stamp import FORMAT, Stamp

# transformers' defaults of a Qwen2 config.
ROPE_BASE: Final = 10_000.0
EPSILON: Final = 1e-6
# The source's fingerprint is the one thing of a stamp that GGUF has no other field for.
SOURCE: Final = "general.source.uuid"
PREFIX: Final = "vibethinker"
# generation_config.json's names of sampling values, and GGUF's; llama-server takes them where a
# request sets none.
FLOATS: Final[Mapping[str, str]] = {
    "temperature": "general.sampling.temp",
    "top_p": "general.sampling.top_p",
    "min_p": "general.sampling.min_p",
    "repetition_penalty": "general.sampling.penalty_repeat",
}
WHOLE: Final[Mapping[str, str]] = {"top_k": "general.sampling.top_k"}


def whole_numbers(sizes: Dimensions, config: Mapping[str, Any]) -> dict[str, int]:
    """Returns the whole numbers about the model's shape, by GGUF's key below `qwen2.`."""
    values = {
        "block_count": sizes.layers,
        "context_length": sizes.context,
        "embedding_length": sizes.hidden,
        "feed_forward_length": sizes.intermediate,
        "attention.head_count": sizes.heads,
        "attention.head_count_kv": sizes.kv_heads,
    }
    if config.get("head_dim"):
        values |= {"attention.key_length": sizes.head, "attention.value_length": sizes.head}
    return values


def fractions(config: Mapping[str, Any]) -> dict[str, float]:
    """Returns the other numbers of config.json, by GGUF's key below `qwen2.`.

    Raises:
        CheckpointError: one is no number, or positions are scaled, which is not known here.
    """
    rope = _rope(config)
    base = rope.get("rope_theta", config.get("rope_theta", ROPE_BASE))
    return {
        "rope.freq_base": _fraction("config.json: rope_theta", base),
        "attention.layer_norm_rms_epsilon": _fraction(
            "config.json: rms_norm_eps", config.get("rms_norm_eps", EPSILON)
        ),
    }


def sampling_values(generation: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, int]]:
    """Returns what generation_config.json recommends, by GGUF's key: fractions, whole numbers.

    Raises:
        CheckpointError: one is no number.
    """
    where = "generation_config.json: "
    floats = {
        key: _fraction(where + name, generation[name])
        for name, key in FLOATS.items()
        if generation.get(name) is not None
    }
    whole = {
        key: int(_fraction(where + name, generation[name]))
        for name, key in WHOLE.items()
        if generation.get(name) is not None
    }
    return floats, whole


def render_source(stamp: Stamp) -> str:
    """Returns what the file says about the checkpoint that it was made from."""
    return f"{PREFIX}-{stamp.format}-{stamp.source}"


def stamp_of(header: GgufHeader) -> Stamp | None:
    """Returns how a file was made and from what, None where another program made it."""
    numbers = {each.file_type: each for each in Outtype}
    outtype = numbers.get(int(header.values.get("general.file_type", -1)))
    parts = str(header.values.get(SOURCE, "")).split("-")
    if outtype is None or len(parts) != 3 or parts[0] != PREFIX or not parts[1].isdecimal():  # noqa: PLR2004
        return None
    return Stamp(outtype, parts[2], int(parts[1]))


def wanted_stamp(outtype: Outtype, fingerprint: str) -> Stamp:
    """Returns the stamp of a file in this format, made from the checkpoint of a fingerprint."""
    return Stamp(outtype, fingerprint, FORMAT)


def _rope(config: Mapping[str, Any]) -> Mapping[str, Any]:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type")) if isinstance(rope, dict) else "unknown"
    if kind not in (None, "default"):
        raise CheckpointError(
            f"config.json: rope_scaling is of type {kind}, which is not known here: give"
            " llama.cpp's own convert_hf_to_gguf.py with --converter"
        )
    return rope


def _fraction(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CheckpointError(f"{where} is {json.dumps(value)}, and must be a number")
    return float(value)
