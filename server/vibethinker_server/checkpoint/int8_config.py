"""What an INT8 checkpoint's config.json says, as the engine's loaders read it. Pure."""

from collections.abc import Mapping
from typing import Any

from vibethinker_server.checkpoint.int8_layout import Method

KEY = "quantization_config"
# The output layer, where the checkpoint has one of its own.
KEPT = ["lm_head"]


def render_config(config: Mapping[str, Any], method: Method) -> dict[str, Any]:
    """Returns the config of the checkpoint that `method` makes of one with `config`."""
    return {**config, KEY: _compressed_tensors() if method is Method.W8A8 else _bitsandbytes()}


def _compressed_tensors() -> dict[str, Any]:
    """Returns W8A8 as llm-compressor writes it: weights by channel, activations by token."""
    weights = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}
    activations = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "token"}
    group = {
        "targets": ["Linear"],
        "weights": {**weights, "dynamic": False},
        "input_activations": {**activations, "dynamic": True},
        "output_activations": None,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": "int-quantized",
        "quantization_status": "compressed",
        "config_groups": {"group_0": group},
        "ignore": KEPT,
        "kv_cache_scheme": None,
    }


def _bitsandbytes() -> dict[str, Any]:
    """Returns what transformers writes for a model that was loaded with load_in_8bit."""
    return {
        "quant_method": "bitsandbytes",
        "_load_in_8bit": True,
        "_load_in_4bit": False,
        "load_in_8bit": True,
        "load_in_4bit": False,
        "llm_int8_threshold": 6.0,
        "llm_int8_skip_modules": KEPT,
        "llm_int8_enable_fp32_cpu_offload": False,
        "llm_int8_has_fp16_weight": False,
        "bnb_4bit_quant_type": "fp4",
        "bnb_4bit_use_double_quant": False,
        "bnb_4bit_compute_dtype": "float32",
        "bnb_4bit_quant_storage": "uint8",
    }
