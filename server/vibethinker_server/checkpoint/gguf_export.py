"""Makes a GGUF file of a checkpoint, whole or not at all."""

from dataclasses import dataclass
from pathlib import Path

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.gguf_converter import check_converter, convert
from vibethinker_server.checkpoint.gguf_file import Order, check_gguf, write_gguf
from vibethinker_server.checkpoint.gguf_header import read_gguf_header
from vibethinker_server.checkpoint.gguf_metadata import stamp_of, wanted_stamp
from vibethinker_server.checkpoint.gguf_package import gguf
from vibethinker_server.checkpoint.gguf_plan import Outtype, plan_tensors
from vibethinker_server.checkpoint.output import held, written_whole
from vibethinker_server.checkpoint.progress import Progress, Report
from vibethinker_server.checkpoint.source import read_checkpoint
from vibethinker_server.checkpoint.stamp import Stamp, fingerprint, is_finished

PHASE_READING = "reading"
PHASE_WRITING = "writing"
PHASE_CHECKING = "checking"


@dataclass(frozen=True, slots=True)
class Exported:
    """A GGUF file that is there.

    Attributes:
        out: where it lies.
        outtype: the format of its matrices.
        before_bytes: bytes of the source's weights.
        after_bytes: bytes of its own.
        was_there: whether nothing had to be done.
    """

    out: Path
    outtype: Outtype
    before_bytes: int
    after_bytes: int
    was_there: bool


def export_gguf(
    source: Path,
    out: Path,
    outtype: Outtype,
    report: Report,
    *,
    name: str = "",
    converter: Path | None = None,
    overwrite: bool = False,
) -> Exported:
    """Writes `source` as the GGUF file `out`, and nothing where it is there already.

    Safe to interrupt at any time and to run again; at most one process at a time does it. The file
    is read back by llama.cpp's package before it takes its place.

    Args:
        source: a checkpoint's directory in the layout of Hugging Face.
        out: the file to make.
        outtype: the format of its matrices.
        report: told of progress.
        name: the model's name for people; empty: the directory's.
        converter: llama.cpp's own convert_hf_to_gguf.py; None: ours.
        overwrite: replace what an earlier run made from another checkpoint, or in another format.

    Raises:
        CheckpointError: the source cannot be used, or the output cannot be written.
    """
    gguf()
    if out.is_dir():
        raise CheckpointError(f"{out}: is a directory: name the file to write with --out")
    if converter is not None:
        check_converter(converter)
    report(Progress(PHASE_READING, 0, 0))
    checkpoint = read_checkpoint(source)
    tensors = plan_tensors(checkpoint.config, checkpoint.tensors, outtype)
    stamp = wanted_stamp(outtype, fingerprint(checkpoint))
    order = Order(checkpoint, name or source.resolve().name, tensors, stamp)
    after = sum(each.byte_count for each in tensors)
    with held(out):
        was_there = is_finished(out, _stamp_in(out), stamp, overwrite=overwrite)
        if not was_there:
            small = sum(file.stat().st_size for file in checkpoint.other_files)
            with written_whole(out, after + small) as partial:
                _write(order, partial, converter, after, report)
    return Exported(out, outtype, checkpoint.weights_bytes, after, was_there)


def _write(order: Order, partial: Path, converter: Path | None, total: int, report: Report) -> None:
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        report(Progress(PHASE_WRITING, done, total))

    if converter is None:
        write_gguf(order, partial, advance)
    else:
        convert(converter, order, partial, lambda size: advance(min(size, total) - done))
    report(Progress(PHASE_CHECKING, 0, 0))
    check_gguf(partial, order.tensors)


def _stamp_in(out: Path) -> Stamp | None:
    try:
        return stamp_of(read_gguf_header(out)) if out.exists() else None
    except CheckpointError:
        return None
