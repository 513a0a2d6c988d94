"""Reads a checkpoint's directory, in the layout of Hugging Face, before any of it is used."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.safetensors_header import StoredTensor, read_header

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
# VibeThinker's, and that of the Qwen2 models it was trained from.
ARCHITECTURE = "Qwen2ForCausalLM"
# The same weights in other formats, which are no small files to copy.
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".onnx", ".msgpack", ".h5")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that was seen whole.

    Attributes:
        directory: where it lies.
        config: its config.json.
        shards: its files of weights, each with its tensors in the order of their bytes.
        other_files: tokenizer, chat template and whatever else lies beside them.
    """

    directory: Path
    config: Mapping[str, Any]
    shards: Mapping[Path, tuple[StoredTensor, ...]]
    other_files: tuple[Path, ...]

    @property
    def tensors(self) -> tuple[StoredTensor, ...]:
        """Every tensor, shard by shard."""
        return tuple(tensor for tensors in self.shards.values() for tensor in tensors)

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.byte_count for tensor in self.tensors)


def read_checkpoint(directory: Path) -> Checkpoint:
    """Returns the checkpoint in `directory`; reads headers, no weights.

    Raises:
        CheckpointError: it is not there, not whole, of another architecture, or already quantised.
    """
    if not directory.is_dir():
        raise CheckpointError(f"{directory}: there is no such directory")
    config = read_config(directory)
    _check_config(directory / CONFIG, config)
    shards = {file: read_header(file) for file in _find_shards(directory)}
    _check_names(directory, shards)
    return Checkpoint(directory, config, shards, _other_files(directory))


def read_config(directory: Path) -> dict[str, Any]:
    """Returns the config.json of `directory`.

    Raises:
        CheckpointError: there is none, or it holds no JSON object.
    """
    return _read_object(directory / CONFIG, "name the directory that holds the model's files")


def _check_config(file: Path, config: Mapping[str, Any]) -> None:
    architectures = config.get("architectures")
    if architectures != [ARCHITECTURE]:
        raise CheckpointError(
            f"{file}: architectures is {json.dumps(architectures)}, and only {ARCHITECTURE}"
            " (VibeThinker, Qwen2, Qwen2.5) is known here"
        )
    if config.get("quantization_config") is not None:
        method = _method(config["quantization_config"])
        raise CheckpointError(
            f"{file}: quantization_config is there: the checkpoint is already quantised ({method});"
            " name the one it was made from"
        )


def _method(quantization: Any) -> str:
    if not isinstance(quantization, dict):
        return "by a method that it does not name"
    return str(quantization.get("quant_method", "by a method that it does not name"))


def _find_shards(directory: Path) -> list[Path]:
    index = directory / INDEX
    if not index.exists():
        files = sorted(directory.glob("*.safetensors"))
        if not files:
            raise CheckpointError(f"{directory}: there are no weights in it (*.safetensors)")
        return files
    names = sorted(set(_weight_map(index).values()))
    for name in names:
        if not (directory / name).is_file():
            raise CheckpointError(f"{index}: weight_map names {name}, which is not there; bring it")
    return [directory / name for name in names]


def _weight_map(index: Path) -> dict[str, str]:
    names = _read_object(index, "bring it again").get("weight_map")
    # A plain name: a shard is never looked for outside the checkpoint's own directory.
    if not isinstance(names, dict) or not names or not all(map(_is_plain, names.values())):
        raise CheckpointError(f"{index}: weight_map must give the file of each tensor")
    return names


def _is_plain(name: Any) -> bool:
    return isinstance(name, str) and name.endswith(".safetensors") and "/" not in name


def _check_names(directory: Path, shards: Mapping[Path, tuple[StoredTensor, ...]]) -> None:
    found: dict[str, Path] = {}
    for file, tensors in shards.items():
        for tensor in tensors:
            if tensor.name in found:
                raise CheckpointError(
                    f"{file}: tensor {tensor.name} is in {found[tensor.name].name} too: remove the"
                    " file that does not belong to the checkpoint"
                )
            found[tensor.name] = file
    index = directory / INDEX
    if index.exists():
        for name, shard in _weight_map(index).items():
            if found.get(name) != directory / shard:
                raise CheckpointError(
                    f"{directory / shard}: lacks tensor {name}, which {index} names"
                )


def _other_files(directory: Path) -> tuple[Path, ...]:
    return tuple(
        file
        for file in sorted(directory.iterdir())
        if file.is_file()
        and not file.name.startswith(".")
        and file.name not in (CONFIG, INDEX)
        and file.suffix not in WEIGHTS
    )


def _read_object(file: Path, remedy: str) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(f"{file}: is not there; {remedy}") from error
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CheckpointError(f"{file}: is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file}: must hold a JSON object")
    return content
