"""Makes an INT8 checkpoint of one in floating point, whole or not at all."""

import json
from dataclasses import dataclass
from pathlib import Path

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.int8_config import render_config
from vibethinker_server.checkpoint.int8_layout import (
    Method,
    check_linear_layers,
    estimate_bytes,
)
from vibethinker_server.checkpoint.output import held, written_whole
from vibethinker_server.checkpoint.progress import Progress, Report
from vibethinker_server.checkpoint.shard_plan import SHARD_BYTES, plan_shards, render_index
from vibethinker_server.checkpoint.shard_writing import write_shard
from vibethinker_server.checkpoint.source import CONFIG, INDEX, Checkpoint, read_checkpoint
from vibethinker_server.checkpoint.stamp import (
    STAMP,
    Stamp,
    fingerprint,
    is_finished,
    read_stamp,
    render_stamp,
)

PHASE_READING = "reading"
PHASE_QUANTIZING = "quantizing"
PHASE_FLUSHING = "flushing"


@dataclass(frozen=True, slots=True)
class Result:
    """An INT8 checkpoint that is there.

    Attributes:
        out: where it lies.
        method: how it is quantised.
        before_bytes: bytes of the source's weights.
        after_bytes: bytes of its own.
        was_there: whether nothing had to be done.
    """

    out: Path
    method: Method
    before_bytes: int
    after_bytes: int
    was_there: bool


def quantize(
    source: Path,
    out: Path,
    method: Method,
    report: Report,
    *,
    overwrite: bool = False,
    shard_bytes: int = SHARD_BYTES,
) -> Result:
    """Writes `source` as INT8 into the directory `out`, and nothing where it is there already.

    Safe to interrupt at any time and to run again; at most one process at a time does it.

    Args:
        source: a checkpoint's directory in the layout of Hugging Face.
        out: the directory to make.
        method: which form of INT8.
        report: told of progress.
        overwrite: replace what an earlier run made from another checkpoint.
        shard_bytes: bytes of weights in one file at most.

    Raises:
        CheckpointError: the source cannot be used, or the output cannot be written.
    """
    report(Progress(PHASE_READING, 0, 0))
    checkpoint = read_checkpoint(source)
    check_linear_layers(str(source), checkpoint.tensors, _layers(checkpoint))
    after = estimate_bytes(checkpoint.tensors, method)
    stamp = Stamp(method, fingerprint(checkpoint))
    _check_apart(source, out)
    needed = after + sum(file.stat().st_size for file in checkpoint.other_files)
    with held(out, needed):
        was_there = is_finished(out, read_stamp(out / STAMP), stamp, overwrite=overwrite)
        if not was_there:
            with written_whole(out, needed) as partial:
                _write(checkpoint, partial, stamp, report, shard_bytes)
                report(Progress(PHASE_FLUSHING, 0, 0))
    return Result(out, method, checkpoint.weights_bytes, after, was_there)


def _write(
    checkpoint: Checkpoint, partial: Path, stamp: Stamp, report: Report, shard_bytes: int
) -> None:
    method = Method(stamp.method)
    partial.mkdir()
    plans = plan_shards(checkpoint.tensors, method, shard_bytes)
    total = estimate_bytes(checkpoint.tensors, method)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        report(Progress(PHASE_QUANTIZING, done, total))

    for plan in plans:
        write_shard(partial, plan, method, advance)
    if len(plans) > 1:
        (partial / INDEX).write_text(render_index(plans))
    for file in checkpoint.other_files:
        (partial / file.name).write_bytes(_read(file))
    config = render_config(checkpoint.config, method)
    (partial / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    (partial / STAMP).write_text(render_stamp(stamp))


def _layers(checkpoint: Checkpoint) -> int:
    layers = checkpoint.config.get("num_hidden_layers")
    if type(layers) is not int or layers < 1:
        raise CheckpointError(
            f"{checkpoint.directory / CONFIG}: num_hidden_layers is {json.dumps(layers)}, and must"
            " be the number of blocks"
        )
    return layers


def _check_apart(source: Path, out: Path) -> None:
    if source.resolve() == out.resolve():
        raise CheckpointError(f"{out}: is the source itself; name another place with --out")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read: {error.strerror}") from error
