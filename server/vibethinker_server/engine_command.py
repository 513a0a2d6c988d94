"""The command line of the engine as text that a shell takes. Pure."""

import shlex
from collections.abc import Mapping, Sequence


def render_command(program: str, args: Sequence[str], environment: Mapping[str, str]) -> str:
    """Returns variables, program and flags of the engine, one to a line."""
    assigned = [f"{name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    lines = [*assigned, program, *_flags(args)]
    return " \\\n  ".join(lines)


def _flags(args: Sequence[str]) -> list[str]:
    """Returns each flag together with its value."""
    lines: list[str] = []
    for arg in args:
        if arg.startswith("--") or not lines:
            lines.append(shlex.quote(arg))
        else:
            lines[-1] += f" {shlex.quote(arg)}"
    return lines
