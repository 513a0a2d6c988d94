"""Quantises and dies by SIGKILL at a named place. Usage: killed_run.py SOURCE OUT PLACE

A place is a number of reports of progress, or `rename`: between all that is written and the rename.
"""

import os
import signal
import sys
from pathlib import Path

from vibethinker_server.checkpoint.int8_layout import Method
from vibethinker_server.checkpoint.progress import Progress
from vibethinker_server.checkpoint.quantization import quantize


def main() -> None:
    """Runs until it is killed."""
    source, out, place = sys.argv[1:]
    seen = 0

    def report(progress: Progress) -> None:
        nonlocal seen
        seen += 1
        if str(seen) == place or (place == "rename" and progress.phase == "flushing"):
            os.kill(os.getpid(), signal.SIGKILL)

    quantize(Path(source), Path(out), Method.W8A8, report, shard_bytes=30_000)


if __name__ == "__main__":
    main()
