"""A fleet's resource on a card, what its pods are like, and short loads."""

from typing import Any

from vibethinker_operator.api import VibeThinkerDeployment, parse_deployment
from vibethinker_simulator.blueprint import Blueprint, build_blueprint
from vibethinker_simulator.server import Server
from vibethinker_simulator.trace import Request, Trace, assign_sessions

from tests.unit.operating.builders import make_body

SMALL: dict[str, Any] = {"product": "Tesla-T4"}


def make_resource(**spec: Any) -> VibeThinkerDeployment:
    return parse_deployment(make_body({"gpu": SMALL} | spec))


def make_blueprint(**spec: Any) -> Blueprint:
    return build_blueprint(make_resource(**spec))


def make_server(number: int = 1, now: float = 0.0) -> Server:
    return Server(make_blueprint(), uid=f"pod-{number}", number=number, now=now, clock=lambda: now)


def make_burst(
    *, quiet: float = 0.5, busy: float = 6.0, seconds: int = 240, tail: int = 400
) -> Trace:
    """Returns a load in requests a second: quiet, then busy, then quiet for `tail` seconds."""
    spells = ((quiet, 60), (busy, seconds), (quiet, tail))
    drawn, begin = [], 0.0
    for rate, length in spells:
        drawn += [(begin + n / rate, 200, 300) for n in range(int(length * rate))]
        begin += length
    return Trace("burst", tuple(assign_sessions(drawn)), begin)


def make_trace(*times: float, prompt: int = 100, output: int = 100) -> Trace:
    requests = tuple(Request(time, prompt, output, n) for n, time in enumerate(times))
    return Trace("few", requests, times[-1] + 1.0)
