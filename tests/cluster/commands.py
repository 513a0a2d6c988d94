"""Running programs, with errors that say which one failed and what it printed last."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.capabilities import SYSTEM_PATH

ERROR_LINES = 20


class CommandError(Exception):
    """A program ended with an error; the message carries the last lines it printed."""


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end and return its standard output.

    Args:
        argv: the program and its arguments.
        stdin: text the program reads; nothing by default.
        cwd: where it runs.
        env: variables added to this process's own.

    Raises:
        CommandError: it ended with a status other than 0.
    """
    words = [str(word) for word in argv]
    done = subprocess.run(
        words,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**environment(), **(env or {})},
        check=False,
    )
    if done.returncode != 0:
        printed = (done.stderr or done.stdout).strip().splitlines()[-ERROR_LINES:]
        raise CommandError(
            f"`{shlex.join(words)[:300]}` ended with {done.returncode}:\n" + "\n".join(printed)
        )
    return done.stdout


def environment() -> dict[str, str]:
    """Return this process's environment with the system directories on PATH."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"}
