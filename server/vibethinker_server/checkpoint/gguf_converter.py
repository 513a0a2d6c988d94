"""Has llama.cpp's own script convert_hf_to_gguf.py convert a checkpoint."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.gguf_file import Order
from vibethinker_server.checkpoint.gguf_metadata import SOURCE, render_source

POLL_SECONDS = 0.5
ERROR_LINES = 5


def check_converter(script: Path) -> None:
    """Sees that the script is there.

    Raises:
        CheckpointError: it is not.
    """
    if not script.is_file():
        raise CheckpointError(
            f"{script}: there is no such file; name llama.cpp's convert_hf_to_gguf.py with"
            " --converter, or leave that out: Qwen2 is converted without it"
        )


def convert(script: Path, order: Order, file: Path, show: Callable[[int], None]) -> None:
    """Writes `order` to `file` by the script, with this process's Python.

    Args:
        script: needs torch, transformers and what lies beside it.
        order: what is to be written.
        file: does not exist.
        show: told of the file's size now and then.

    Raises:
        CheckpointError: the script failed; its last lines are in the text.
    """
    with tempfile.TemporaryDirectory() as scratch:
        metadata = Path(scratch) / "metadata.json"
        metadata.write_text(json.dumps({SOURCE: render_source(order.stamp)}))
        command = [sys.executable, str(script), str(order.checkpoint.directory)]
        options = ["--outfile", str(file), "--outtype", order.stamp.method]
        said = ["--metadata", str(metadata), "--model-name", order.name]
        with (Path(scratch) / "output").open("w+") as output:
            status = _run([*command, *options, *said], output.fileno(), file, show)
            output.seek(0)
            lines = output.read().strip().splitlines()[-ERROR_LINES:]
    if status != 0:
        raise CheckpointError(f"{script} ended with {status}:\n" + "\n".join(lines))
    if not file.is_file():
        raise CheckpointError(f"{script} ended well and wrote no {file}")


def _run(command: list[str], output: int, file: Path, show: Callable[[int], None]) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603
    try:
        while True:
            try:
                return process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                show(file.stat().st_size if file.exists() else 0)
    finally:
        process.kill()
        process.wait()
