"""Whether the engine that is installed can serve a quantised checkpoint, before it is started.

vLLM itself would say so half a minute later: of bitsandbytes by an error of its registry, of W8A8
in Float32 by one of a kernel, at the first request.
"""

import json
from collections.abc import Mapping
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vibethinker_server.engine_settings import DataType, EngineSettings
from vibethinker_server.start_error import StartError
from vibethinker_server.weights import model_directories

# As config.json spells them.
BITSANDBYTES = "bitsandbytes"
COMPRESSED_TENSORS = "compressed-tensors"
# Where vLLM looks for plugins, and the name that vllm-bnb-plugin registers there.
PLUGIN_GROUP = "vllm.general_plugins"
# vLLM had it of its own up to 0.27.
IN_TREE = Path("model_executor/layers/quantization/bitsandbytes.py")


def check_quantization(settings: EngineSettings, environment: Mapping[str, str]) -> None:
    """Lets the start go on where the model is not quantised, or can be served.

    A model that is still to be downloaded is let pass: what it is is not known yet.

    Raises:
        StartError: the model needs what is not installed, or another data type.
    """
    for directory in model_directories(settings, environment):
        config = directory / "config.json"
        method = read_method(config)
        if method == BITSANDBYTES:
            _check_packages(config)
        if method == COMPRESSED_TENSORS and settings.dtype is DataType.FLOAT32:
            raise StartError(
                f"{config}: quantization_config.quant_method is {method}, whose kernels compute in"
                " 16 bits, and dtype is Float32: set it to BFloat16 or Float16 (`--set"
                " dtype=BFloat16`, or engine.dtype of the resource)"
            )


def _check_packages(config: Path) -> None:
    missing = _missing()
    if missing:
        raise StartError(
            f"{config}: quantization_config.quant_method is {BITSANDBYTES}, for which this engine"
            f" lacks {' and '.join(missing)}: use an image with `pip install vllm-bnb-plugin"
            " bitsandbytes`, or put a directory that holds both on PYTHONPATH; a checkpoint by"
            " `quantize --method w8a8` needs neither"
        )


def _missing() -> list[str]:
    """Returns the packages that are not there, by their names on the package index."""
    missing = [] if find_spec("bitsandbytes") else ["bitsandbytes"]
    registered = entry_points(group=PLUGIN_GROUP, name=BITSANDBYTES)
    return missing if registered or _is_in_tree() else ["vllm-bnb-plugin", *missing]


def _is_in_tree() -> bool:
    # By its file: to ask Python for a module imports its packages.
    spec = find_spec("vllm")
    roots = [] if spec is None else list(spec.submodule_search_locations or ())
    return any((Path(root) / IN_TREE).is_file() for root in roots)


def read_method(config: Path) -> str | None:
    """Returns the method that a config names, None where it names none or cannot be read."""
    try:
        content: Any = json.loads(config.read_bytes())
        return str(content["quantization_config"]["quant_method"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
