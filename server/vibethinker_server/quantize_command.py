"""`quantize`: writes a checkpoint's weights as INT8, and says what that saves."""

import argparse
import signal
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NoReturn

from vibethinker_server.checkpoint.progress import ProgressLine, gigabytes
from vibethinker_server.one_click.download import bring_model
from vibethinker_server.start_error import StartError

if TYPE_CHECKING:
    from vibethinker_server.checkpoint.quantization import Result


def run_quantize(parsed: argparse.Namespace) -> None:
    """Does what was said to `quantize`, with progress on stderr and the sizes on stdout.

    Raises:
        CheckpointError: the checkpoint cannot be read, or the output cannot be written.
        StartError: the model cannot be had, or numpy is missing.
    """
    if find_spec("numpy") is None:
        raise StartError("numpy is missing: run it where vLLM is, which brings it")
    from vibethinker_server.checkpoint.quantization import quantize  # noqa: PLC0415 (as above)

    end_by_unwinding()
    source = bring_model(parsed.model, parsed.revision, _note)
    line = ProgressLine(sys.stderr, time.monotonic)
    try:
        result = quantize(source, parsed.out, parsed.method, line, overwrite=parsed.overwrite)
    finally:
        line.close()
    print(render_result(result))


def render_result(result: "Result") -> str:
    """Returns what a person is told of a checkpoint that is there."""
    before, after = result.before_bytes, result.after_bytes
    head = "is there already" if result.was_there else "written"
    return (
        f"{result.out}: {head}, INT8 ({result.method}): weights {gigabytes(before)} before"
        f" ({before} bytes), {gigabytes(after)} after ({after} bytes),"
        f" {100 * (before - after) / before:.1f} % saved"
    )


def end_by_unwinding() -> None:
    """Makes SIGTERM end this process only once what is half-written has been removed."""
    signal.signal(signal.SIGTERM, _end)


def _end(signum: int, _frame: Any) -> NoReturn:
    sys.exit(128 + signum)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
