"""Where a model comes from: a directory of this machine, or a repository of the hub."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from vibethinker_server.engine_settings import Source
from vibethinker_server.one_click.options import DEFAULT_MODEL
from vibethinker_server.quantization_check import COMPRESSED_TENSORS, read_method
from vibethinker_server.start_error import StartError

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
# As articles spell it.
WRONG_OWNER = "weibo/"
LIKENESS = 0.6


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model as the engine will be given it.

    Attributes:
        model: an absolute path, or a repository.
        source: which of both.
        in_16_bits: whether it is quantised so that it computes in nothing else; of a repository
            that is not known yet.
    """

    model: str
    source: Source
    in_16_bits: bool = False


def locate_model(text: str) -> ModelSource:
    """Returns where the model that a person calls `text` is.

    Raises:
        StartError: it is neither a directory with a model in it nor a repository's name.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        directory = _check_directory(path.resolve())
        method = read_method(Path(directory) / "config.json")
        return ModelSource(directory, Source.VOLUME, in_16_bits=method == COMPRESSED_TENSORS)
    if text.startswith(("/", ".", "~")):
        raise StartError(f"--model {text}: there is no such directory ({path.absolute()})")
    if REPOSITORY.fullmatch(text) is None or text.lower().startswith(WRONG_OWNER):
        raise StartError(
            f"--model {text}: there is no such directory here, and no model of that name"
            f"{suggest(text)}"
        )
    return ModelSource(text, Source.HUGGING_FACE)


def suggest(text: str) -> str:
    """Returns the end of a sentence about a name nobody knows: what it may have meant."""
    known = {
        DEFAULT_MODEL.lower(): DEFAULT_MODEL,
        DEFAULT_MODEL.split("/")[1].lower(): DEFAULT_MODEL,
    }
    close = get_close_matches(text.lower(), known, n=1, cutoff=LIKENESS)
    if not close or known[close[0]] == text:
        return "."
    return f": did you mean {known[close[0]]}?"


def _check_directory(path: Path) -> str:
    """Returns the directory's path once it is seen to hold a model."""
    if not (path / "config.json").is_file():
        raise StartError(
            f"--model {path}: there is no config.json in it. Name the directory that holds the"
            " model's files: config.json, tokenizer.json and *.safetensors"
        )
    if not [*path.glob("*.safetensors"), *path.glob("*.bin")]:
        raise StartError(
            f"--model {path}: there are no weights in it (*.safetensors). Was its download broken"
            " off, or are they still Git LFS pointers elsewhere?"
        )
    return str(path)
