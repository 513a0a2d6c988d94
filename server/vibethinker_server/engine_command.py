"""The command line of vLLM as text that a shell takes. Pure."""

import shlex
from collections.abc import Mapping, Sequence


def render_command(module: str, args: Sequence[str], environment: Mapping[str, str]) -> str:
    """Returns variables, module and flags of the engine, one to a line."""
    assigned = [f"{name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    lines = [*assigned, f"python3 -m {module}", *_flags(args)]
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
