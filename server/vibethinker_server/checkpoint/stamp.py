"""What a finished output says about itself: by which method it was made, and from what."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.safetensors_header import StoredTensor
from vibethinker_server.checkpoint.source import CONFIG, Checkpoint

STAMP = "vibethinker.json"
FORMAT = 1
# Of each tensor, from its middle: enough to tell one training from another.
SAMPLE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Stamp:
    """Two outputs with the same stamp are the same.

    Attributes:
        method: how it was made, such as w8a8.
        source: fingerprint of the checkpoint that it was made from.
        format: version of what is written; another one is made anew.
    """

    method: str
    source: str
    format: int = FORMAT


def fingerprint(checkpoint: Checkpoint) -> str:
    """Returns 64 hex digits that change with the checkpoint.

    Hashed are names, sizes, config.json, the headers, and 64 bytes of each tensor: a revision with
    other weights of the same shapes is another source, and nothing needs to be read whole.

    Raises:
        CheckpointError: a file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for file in checkpoint.other_files:
            _add(digest, file.name, file.stat().st_size)
        _add(digest, CONFIG, (checkpoint.directory / CONFIG).read_text())
        for shard, tensors in checkpoint.shards.items():
            _add(digest, shard.name, shard.stat().st_size)
            with shard.open("rb") as stream:
                for tensor in tensors:
                    stream.seek(tensor.begin + _middle(tensor))
                    sample = stream.read(min(SAMPLE_BYTES, tensor.byte_count)).hex()
                    _add(digest, tensor.name, tensor.dtype, tensor.shape, sample)
    except OSError as error:
        raise CheckpointError(f"{checkpoint.directory}: cannot be read: {error}") from error
    return digest.hexdigest()


def read_stamp(file: Path) -> Stamp | None:
    """Returns the stamp in `file`, None where there is none that can be read."""
    try:
        content = json.loads(file.read_bytes())
        return Stamp(str(content["method"]), str(content["source"]), int(content["format"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def render_stamp(stamp: Stamp) -> str:
    """Returns the content of the file that `read_stamp` reads."""
    return json.dumps(asdict(stamp), indent=2) + "\n"


def is_finished(out: Path, found: Stamp | None, wanted: Stamp, *, overwrite: bool) -> bool:
    """Tells whether `out` is already what would be made; False: it is to be made.

    Args:
        out: where the output is to lie.
        found: the stamp of what lies there, None where it has none.
        wanted: the stamp of what would be made.
        overwrite: whether another output of ours may be replaced.

    Raises:
        CheckpointError: something else lies there.
    """
    if found == wanted:
        return True
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    if found is None:
        raise CheckpointError(
            f"{out}: holds something that was not made here, and is left alone: remove it, or name"
            " another place with --out"
        )
    if not overwrite:
        raise CheckpointError(
            f"{out}: holds {found.method} made from {_difference(found, wanted)}: name another"
            " place with --out, or say --overwrite to replace it"
        )
    return False


def _difference(found: Stamp, wanted: Stamp) -> str:
    if found.source != wanted.source:
        return "another checkpoint"
    return "the same checkpoint" if found.method != wanted.method else "it by another version"


def _middle(tensor: StoredTensor) -> int:
    return max(0, tensor.byte_count - SAMPLE_BYTES) // 2


def _add(digest: Any, *parts: object) -> None:
    digest.update(json.dumps(parts).encode() + b"\n")
