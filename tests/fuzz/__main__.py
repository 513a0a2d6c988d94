"""Draws hostile bodies for so many seconds, each round from another seed; stops at the first fault.

python -m tests.fuzz 600
"""

import itertools
import os
import subprocess
import sys
import time

TESTS = "tests/unit/server/test_hostile_requests.py"
EXAMPLES = 5_000
PROPERTIES = 2
"""Tests that draw: what a request may cost, and the preset that comes first and once."""


def main() -> int:
    """Returns pytest's status of the round that failed, else 0."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    began, drawn = time.monotonic(), 0
    for seed in itertools.count(int(time.time())):  # noqa: TID251 (a seed, shown below)
        if time.monotonic() - began >= seconds:
            break
        command = [
            *(sys.executable, "-m", "pytest", "-q", TESTS, "-k", "whatever_is_sent"),
            *("--hypothesis-profile=default", f"--hypothesis-seed={seed}"),
        ]
        environment = {**os.environ, "FUZZ_EXAMPLES": str(EXAMPLES)}
        status = subprocess.run(command, env=environment, check=False).returncode
        if status != 0:
            print(f"fault at seed {seed}, after {drawn} requests: {' '.join(command)}")
            return status
        drawn += PROPERTIES * EXAMPLES
        print(f"[{time.monotonic() - began:4.0f}s] {drawn} requests, no fault", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
