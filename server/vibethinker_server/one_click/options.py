"""What a person may say on the command line of `start`, parsed. Pure."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vibethinker_server.engine_args import ANY_ADDRESS
from vibethinker_server.engine_settings import Device
from vibethinker_server.known_models import VIBETHINKER_1_5B
from vibethinker_server.start_error import StartError

DEFAULT_MODEL = VIBETHINKER_1_5B.repository
DEFAULT_SERVED_NAME = "vibethinker-1.5b"
LOOPBACK = "127.0.0.1"
DEFAULT_LOG = Path("logs/api.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """One start.

    Attributes:
        device: None: whatever the installed engine is built for.
        changes: settings of the engine that win over what would be picked, as camelCase fields.
        background: return once it serves.
    """

    model: str = DEFAULT_MODEL
    revision: str | None = None
    served_name: str = DEFAULT_SERVED_NAME
    device: Device | None = None
    host: str = LOOPBACK
    port: int = 8080
    ops_port: int = 8081
    policy: Path | None = None
    api_keys: Path | None = None
    changes: tuple[tuple[str, Any], ...] = ()
    background: bool = False
    log: Path = DEFAULT_LOG


def reachable(host: str) -> str:
    """Returns the address by which this machine reaches what listens on `host`."""
    return LOOPBACK if host == ANY_ADDRESS else host


def parse_change(text: str) -> tuple[str, Any]:
    """Returns field and value of a `--set FIELD=VALUE`; a value that is no JSON is a text.

    Raises:
        StartError: there is no "=".
    """
    field, separator, value = text.partition("=")
    if not separator or not field:
        raise StartError(f"--set {text}: write FIELD=VALUE, for example maxModelLen=8192")
    try:
        return field, json.loads(value)
    except ValueError:
        return field, value


def apply_changes(picked: dict[str, Any], changes: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Returns `picked` with the changes; `flags.seed` is the field seed below flags."""
    changed = dict(picked)
    for path, value in changes:
        *parents, field = path.split(".")
        place = changed
        for parent in parents:
            place[parent] = dict(place.get(parent) or {})
            place = place[parent]
        place[field] = value
    return changed
