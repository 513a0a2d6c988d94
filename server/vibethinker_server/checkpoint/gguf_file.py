"""Writes a checkpoint as one GGUF file, and reads it back with llama.cpp's package."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.gguf_header import ARCHITECTURE, read_gguf_header
from vibethinker_server.checkpoint.gguf_metadata import (
    fractions,
    render_source,
    sampling_values,
    whole_numbers,
)
from vibethinker_server.checkpoint.gguf_package import gguf
from vibethinker_server.checkpoint.gguf_plan import Outtype, PlannedTensor, read_dimensions
from vibethinker_server.checkpoint.gguf_tokenizer import Vocabulary, read_vocabulary
from vibethinker_server.checkpoint.gguf_values import write_values
from vibethinker_server.checkpoint.source import Checkpoint
from vibethinker_server.checkpoint.stamp import Stamp

TOKENIZER, GENERATION = "tokenizer.json", "generation_config.json"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written.

    Attributes:
        checkpoint: the source.
        name: the model's name for people.
        tensors: what it becomes.
        stamp: what the file is to say about its making; its method is the outtype.
    """

    checkpoint: Checkpoint
    name: str
    tensors: tuple[PlannedTensor, ...]
    stamp: Stamp


def write_gguf(order: Order, file: Path, advance: Callable[[int], None]) -> None:
    """Writes `order` to `file`, which does not exist; `advance` is told of bytes written.

    Raises:
        CheckpointError: the checkpoint's files cannot be read or make no sense.
        OSError: the file cannot be written.
    """
    writer: Any = gguf().GGUFWriter(None, ARCHITECTURE)
    _add_metadata(writer, order)
    _add_tokenizer(writer, order.checkpoint)
    for planned in order.tensors:
        writer.add_tensor_info(
            planned.name,
            planned.source.shape,
            None,
            planned.byte_count,
            raw_dtype=gguf().GGMLQuantizationType(planned.type.number),
        )
    try:
        writer.write_header_to_file(file)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
    finally:
        writer.close()
    with file.open("ab") as stream:
        stream.write(bytes(-stream.tell() % writer.data_alignment))
        write_values(stream, order.tensors, advance)


def check_gguf(file: Path, tensors: tuple[PlannedTensor, ...]) -> None:
    """Reads a file that was just written as llama.cpp's package does.

    Raises:
        CheckpointError: it does not hold what it was to hold.
    """
    wanted = {
        each.name: (each.type.name, tuple(reversed(each.source.shape)), each.byte_count)
        for each in tensors
    }
    read_gguf_header(file)
    try:
        reader: Any = gguf().GGUFReader(file)
        found = {
            each.name: (each.tensor_type.name, tuple(map(int, each.shape)), int(each.n_bytes))
            for each in reader.tensors
        }
    except (ValueError, IndexError, KeyError) as error:
        raise CheckpointError(f"{file}: cannot be read back: {error}") from error
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise CheckpointError(
                f"{file}: tensor {name} is {found.get(name)} and was to be {wanted.get(name)}"
            )


def _add_metadata(writer: Any, order: Order) -> None:
    config = order.checkpoint.config
    elements = sum(each.byte_count // each.type.bytes * each.type.block for each in order.tensors)
    writer.add_type("model")
    writer.add_name(order.name)
    writer.add_size_label(gguf().size_label(elements, elements, 0, 0))
    writer.add_source_uuid(render_source(order.stamp))
    writer.add_file_type(Outtype(order.stamp.method).file_type)
    writer.add_quantization_version(gguf().GGML_QUANT_VERSION)
    for key, number in whole_numbers(read_dimensions(config), config).items():
        writer.add_uint32(f"{ARCHITECTURE}.{key}", number)
    for key, fraction in fractions(config).items():
        writer.add_float32(f"{ARCHITECTURE}.{key}", fraction)
    floats, whole = sampling_values(_read(order.checkpoint, GENERATION, needed=False))
    for key, fraction in floats.items():
        writer.add_float32(key, fraction)
    for key, number in whole.items():
        writer.add_int32(key, number)


def _add_tokenizer(writer: Any, checkpoint: Checkpoint) -> None:
    size = read_dimensions(checkpoint.config).vocabulary
    vocabulary = read_tokens(checkpoint, size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.split)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    try:
        special: Any = gguf().SpecialVocab(checkpoint.directory, load_merges=True, n_vocab=size)
        special.add_to_gguf(writer, quiet=True)
        merges = len(special.merges)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{checkpoint.directory}: tokenizer.json, tokenizer_config.json or chat_template.jinja"
            f" cannot be understood: {error!r}"
        ) from error
    if merges == 0:
        raise CheckpointError(
            f"{checkpoint.directory / TOKENIZER}: model.merges is empty, and llama.cpp loads no"
            " vocabulary without them; bring the model's tokenizer again"
        )


def read_tokens(checkpoint: Checkpoint, size: int) -> Vocabulary:
    """Returns the checkpoint's vocabulary; `size`: rows of the embedding.

    Raises:
        CheckpointError: there is no tokenizer.json, or none that is known here.
    """
    return read_vocabulary(_read(checkpoint, TOKENIZER, needed=True), size)


def _read(checkpoint: Checkpoint, name: str, *, needed: bool) -> Mapping[str, Any]:
    file = checkpoint.directory / name
    if not needed and not file.exists():
        return {}
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(f"{file}: is not there; it comes with the model") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file}: must hold a JSON object")
    return content
