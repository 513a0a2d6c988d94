"""Whether the engine that is installed can load a bitsandbytes checkpoint, before it is started.

vLLM itself would say so half a minute later, by an error of its quantization registry.
"""

import json
from collections.abc import Mapping
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vibethinker_server.engine_settings import EngineSettings
from vibethinker_server.start_error import StartError
from vibethinker_server.weights import model_directories

METHOD = "bitsandbytes"
# Where vLLM looks for plugins, and the name that vllm-bnb-plugin registers there.
PLUGIN_GROUP = "vllm.general_plugins"
# vLLM had it of its own up to 0.27.
IN_TREE = Path("model_executor/layers/quantization/bitsandbytes.py")


def check_bitsandbytes(settings: EngineSettings, environment: Mapping[str, str]) -> None:
    """Lets the start go on where the model is no bitsandbytes checkpoint, or can be loaded.

    A model that is still to be downloaded is let pass: what it is is not known yet.

    Raises:
        StartError: the model needs what is not installed.
    """
    for directory in model_directories(settings, environment):
        config = directory / "config.json"
        missing = _missing() if _read_method(config) == METHOD else []
        if missing:
            raise StartError(
                f"{config}: quantization_config.quant_method is {METHOD}, for which this engine"
                f" lacks {' and '.join(missing)}: use an image with `pip install vllm-bnb-plugin"
                " bitsandbytes`, or put a directory that holds both on PYTHONPATH; a checkpoint by"
                " `quantize --method w8a8` needs neither"
            )


def _missing() -> list[str]:
    """Returns the packages that are not there, by their names on the package index."""
    missing = [] if find_spec("bitsandbytes") else ["bitsandbytes"]
    registered = entry_points(group=PLUGIN_GROUP, name=METHOD)
    return missing if registered or _is_in_tree() else ["vllm-bnb-plugin", *missing]


def _is_in_tree() -> bool:
    # By its file: to ask Python for a module imports its packages.
    spec = find_spec("vllm")
    roots = [] if spec is None else list(spec.submodule_search_locations or ())
    return any((Path(root) / IN_TREE).is_file() for root in roots)


def _read_method(config: Path) -> str | None:
    """Returns the method that a config names, None where it names none or cannot be read."""
    try:
        content: Any = json.loads(config.read_bytes())
        return str(content["quantization_config"]["quant_method"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
