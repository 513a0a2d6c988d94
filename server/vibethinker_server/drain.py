"""The preStop command: marks the drain and waits until nothing is lost by ending."""

import http.client
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from vibethinker_server import names
from vibethinker_server.engine_settings import parse_engine_settings

POLL_SECONDS = 0.5
TIMEOUT_SECONDS = 5.0

# Asks the server once; True when it may end.
Ask = Callable[[], bool]


def drain() -> None:
    """Waits until this pod's server has drained, or for `drainSeconds`.

    A server that does not answer has nothing to drain: kubelet's signal comes next either way.
    """
    settings = parse_engine_settings(os.environ.get(names.ENV_ENGINE, ""))
    files = Path(os.environ.get(names.ENV_FILES, names.FILES_PATH))
    token = (files / names.FLEET_TOKEN_FILE).read_text().strip()
    wait_until_drained(
        lambda: mark_drain(settings.ops_port, token),
        seconds=settings.drain_seconds,
        monotonic=time.monotonic,
        sleep=time.sleep,
    )


def wait_until_drained(
    ask: Ask, *, seconds: float, monotonic: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    """Asks again and again, until it is done, fails or `seconds` have passed."""
    deadline = monotonic() + seconds
    while True:
        try:
            if ask():
                return
        except (OSError, ValueError, http.client.HTTPException):
            return
        if monotonic() >= deadline:
            return
        sleep(POLL_SECONDS)


def mark_drain(port: int, token: str) -> bool:
    """Marks the drain of the server on this machine's `port`; True when it may end.

    Raises:
        OSError, ValueError, http.client.HTTPException: it does not answer as our server does.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        headers = {"Authorization": f"Bearer {token}"}
        connection.request("POST", names.PATH_DRAIN, headers=headers)
        response = connection.getresponse()
        if response.status != http.HTTPStatus.OK:
            raise ValueError(f"the server answered {response.status}")
        return bool(json.loads(response.read())["done"])
    finally:
        connection.close()
