"""What `start` says once the server answers. Pure."""

import json
import shlex
from pathlib import Path

from vibethinker_server import names
from vibethinker_server.engine_settings import EngineSettings
from vibethinker_server.one_click.options import reachable

QUESTION = "What is the sum of the first 100 natural numbers?"


def base_url(host: str, port: int) -> str:
    """Returns the address of a port as this machine reaches it."""
    return f"http://{reachable(host)}:{port}"


def render_announcement(settings: EngineSettings, host: str, *, with_keys: bool) -> str:
    """Returns URL, model and a command to try."""
    url, ops_url = base_url(host, settings.port), base_url(host, settings.ops_port)
    return "\n".join(
        (
            "",
            f"  URL      {url}/v1",
            f"  model    {settings.served_name}",
            f"  chat     {url}{names.PATH_PAGE} (in a browser)",
            f"  metrics  {ops_url}{names.PATH_METRICS}",
            "",
            "  Try it:",
            f"  {render_curl(url, settings.served_name, with_keys=with_keys)}",
            "",
        )
    )


def render_curl(url: str, served_name: str, *, with_keys: bool) -> str:
    """Returns a command that asks one question."""
    body = {"model": served_name, "messages": [{"role": "user", "content": QUESTION}]}
    key = ["-H", "Authorization: Bearer YOUR-KEY"] if with_keys else []
    kind = ["-H", "Content-Type: application/json"]
    return shlex.join(["curl", f"{url}{names.PATH_CHAT}", *kind, *key, "-d", json.dumps(body)])


def warn_open(host: str, *, with_keys: bool) -> str | None:
    """Returns a warning where everybody who reaches this machine may use it, None otherwise."""
    if with_keys or host.startswith("127.") or host == "localhost":
        return None
    return f"everybody who reaches {host} may use this server: --api-keys asks for keys"


def render_background(pid: int, log: Path, program: str) -> str:
    """Returns what there is to know about a server that runs on; `program` is our command."""
    return f"  process {pid}, log {log}; to end it:\n  {program} stop --log {log}\n"
