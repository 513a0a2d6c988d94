"""Asks the real autoscalers anew, on a fake clock, and compares with what is kept.

    python -m tests.bench.sim.peers.golden          requires the kept vectors to be what they answer
    python -m tests.bench.sim.peers.golden --write  keeps what they answer

Needs Go. Kubernetes v1.37.2 and Knative Serving v0.51.0 come as Go modules and are compiled as they
are. Of the modules beside Knative's the proxy has older releases alone; knative/go.mod names them,
and knative/labels stands in for the labels of telemetry that these lack.
"""

import argparse
import lzma
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.sim.peers.golden.vectors import COUNT, FOLDER, PROGRAMS, kept_file
from tests.cluster.progress import say


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or compares; returns 1 if any answer differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sim.peers.golden")
    parser.add_argument("--write", action="store_true", help="keep what the real ones answer")
    options = parser.parse_args(arguments)
    differing = 0
    for program in PROGRAMS:
        answered = ask(program)
        if options.write:
            kept_file(program).write_bytes(lzma.compress(answered, preset=9 | lzma.PRESET_EXTREME))
        same = lzma.decompress(kept_file(program).read_bytes()) == answered
        differing += not same
        say(f"{program}: {COUNT} vectors, {'as kept' if same else 'NOT as kept'}")
    return 1 if differing else 0


def ask(program: str) -> bytes:
    """Returns the vectors that a program writes now.

    Raises:
        CalledProcessError: it does not build, or fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "vectors")
        given = ["-args", "-out", str(out), "-vectors", str(COUNT)]
        subprocess.run(
            ["go", "test", "-trimpath", "-run", "TestVectors", "-count", "1", ".", *given],
            cwd=FOLDER / program,
            env={**os.environ, "CGO_ENABLED": "0"},  # as the test cluster is built: half is there
            check=True,
        )
        return out.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
