"""llama.cpp's Python package `gguf`, which only an export needs."""

import importlib
from types import ModuleType

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError


def gguf() -> ModuleType:
    """Returns the package.

    Raises:
        CheckpointError: it, or what it needs, is not installed.
    """
    try:
        return importlib.import_module("gguf")
    except ImportError as error:
        raise CheckpointError(
            f"the package gguf is missing, or what it needs ({error}): install the extra `small`"
            " (pip install 'vibethinker[small]')"
        ) from error
