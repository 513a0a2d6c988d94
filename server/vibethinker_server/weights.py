"""Finds the model's weights on disk: whether they are all there, and what they will take."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.gguf_header import read_gguf_header
from vibethinker_server.engine_settings import Backend, DataType, EngineSettings, Source
from vibethinker_server.model_config import kv_token_bytes, read_model_config

INDEX = "model.safetensors.index.json"
MAX_HEADER_BYTES = 64 * 1024 * 1024
# Bytes of one element once the engine holds it: floats in the type served, whatever they were.
FLOAT_BYTES: Mapping[DataType, int] = {
    DataType.FLOAT16: 2,
    DataType.BFLOAT16: 2,
    DataType.FLOAT32: 4,
}
INTEGER_BYTES: Mapping[str, int] = {"I8": 1, "U8": 1}
# Scales of INT8 weights, as compressed-tensors and bitsandbytes call them: float32 in any engine.
SCALES = (".weight_scale", ".SCB")
SCALE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that lie on disk whole, and what they take in memory; None: not known.

    Attributes:
        bytes: of the weights themselves.
        kv_token_bytes: of KV, for each token of context.
    """

    bytes: int | None
    kv_token_bytes: int | None = None


def find_weights(settings: EngineSettings, environment: Mapping[str, str]) -> Weights | None:
    """Returns the weights that the engine will load, None while they are not all there."""
    if settings.backend is Backend.LLAMA_CPP:
        return _find_gguf(Path(settings.model))
    for directory in model_directories(settings, environment):
        files = _files(directory)
        if files:
            float_bytes = FLOAT_BYTES[settings.dtype]
            shape = read_model_config(directory).kv
            kv_bytes = kv_token_bytes(shape, settings, float_bytes) if shape else None
            return Weights(_served_bytes(files, float_bytes), kv_bytes)
    return None


def _find_gguf(file: Path) -> Weights | None:
    if not file.exists():
        return None
    try:
        header = read_gguf_header(file, architecture=None)
    except CheckpointError:  # llama-server says what is wrong with it
        return Weights(None)
    return Weights(header.weights_bytes, header.kv_token_bytes)


def model_directories(settings: EngineSettings, environment: Mapping[str, str]) -> list[Path]:
    """Returns where the model's files may lie, whether or not they are there yet."""
    if settings.source is Source.VOLUME or settings.model.startswith("/"):
        return [Path(settings.model)]
    home = Path(environment.get("HOME", "/"))
    if settings.source is Source.MODEL_SCOPE:
        cache = Path(environment.get("MODELSCOPE_CACHE", home / ".cache/modelscope"))
        # ModelScope writes a dot in a name as three underscores.
        model = settings.model.replace(".", "___")
        return [cache / middle / model for middle in ("hub/models", "models", "hub")]
    hub = Path(environment.get("HF_HOME", home / ".cache/huggingface")) / "hub"
    repository = Path(environment.get("HF_HUB_CACHE", hub)) / (
        "models--" + settings.model.replace("/", "--")
    )
    revision = settings.revision or "main"
    commit = _read_text(repository / "refs" / revision) or revision
    return [repository / "snapshots" / commit]


def _files(directory: Path) -> list[Path]:
    """Returns the files that hold the weights, none while one is missing."""
    index = _read_text(directory / INDEX)
    if index is None:
        try:
            return sorted([*directory.glob("*.safetensors"), *directory.glob("pytorch_model*.bin")])
        except OSError:
            return []
    try:
        names = set(json.loads(index)["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    files = [directory / name for name in sorted(names)]
    return files if all(file.exists() for file in files) else []


def _served_bytes(files: list[Path], float_bytes: int) -> int | None:
    sizes = [_tensor_bytes(file, float_bytes) for file in files]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _tensor_bytes(file: Path, float_bytes: int) -> int | None:
    """Returns the bytes of one safetensors file's tensors, read from its header."""
    if file.suffix != ".safetensors":
        return None
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(length, MAX_HEADER_BYTES)))
        header.pop("__metadata__", None)
        total: int = sum(
            prod(tensor["shape"]) * _element_bytes(name, tensor["dtype"], float_bytes)
            for name, tensor in header.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return total


def _element_bytes(name: str, dtype: str, float_bytes: int) -> int:
    return SCALE_BYTES if name.endswith(SCALES) else INTEGER_BYTES.get(dtype, float_bytes)


def _read_text(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except (OSError, ValueError):
        return None
