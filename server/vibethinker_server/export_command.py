"""`export-gguf`: writes a checkpoint as one GGUF file for llama.cpp."""

import argparse
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from vibethinker_server import names
from vibethinker_server.checkpoint.progress import ProgressLine, gigabytes
from vibethinker_server.one_click.download import bring_model
from vibethinker_server.quantize_command import end_by_unwinding
from vibethinker_server.start_error import StartError

if TYPE_CHECKING:
    from vibethinker_server.checkpoint.gguf_export import Exported


def run_export(parsed: argparse.Namespace) -> None:
    """Does what was said to `export-gguf`, with progress on stderr and the sizes on stdout.

    Raises:
        CheckpointError: the checkpoint cannot be read, or the output cannot be written.
        StartError: the model cannot be had, or a package is missing.
    """
    if find_spec("numpy") is None:
        raise StartError(
            "numpy is missing: install the extra `small` (pip install 'vibethinker[small]')"
        )
    from vibethinker_server.checkpoint.gguf_export import export_gguf  # noqa: PLC0415 (as above)
    from vibethinker_server.checkpoint.gguf_plan import parse_outtype  # noqa: PLC0415 (as above)

    outtype = parse_outtype(parsed.outtype)
    end_by_unwinding()
    source = bring_model(parsed.model, parsed.revision, _note)
    line = ProgressLine(sys.stderr, time.monotonic)
    try:
        result = export_gguf(
            source,
            parsed.out,
            outtype,
            line,
            # A repository's directory in the hub's cache is named for a commit.
            name="" if Path(parsed.model).is_dir() else parsed.model.rpartition("/")[2],
            converter=_converter(parsed.converter),
            overwrite=parsed.overwrite,
        )
    finally:
        line.close()
    print(render_export(result))


def render_export(result: "Exported") -> str:
    """Returns what a person is told of a GGUF file that is there."""
    before, after = result.before_bytes, result.after_bytes
    head = "is there already" if result.was_there else "written and read back"
    return (
        f"{result.out}: {head}, GGUF ({result.outtype}): weights {gigabytes(before)} before"
        f" ({before} bytes), {gigabytes(after)} after ({after} bytes)"
    )


def _converter(said: Path | None) -> Path | None:
    named = os.environ.get(names.ENV_GGUF_CONVERTER)
    return said or (Path(named) if named else None)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
