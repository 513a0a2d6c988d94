"""Requests of people who try to get around the contract, as data.

Each says what it tries, what is answered, and what the engine may see of it. A unit test sends them
to the middleware before a recording engine, which shows the body that would reach vLLM; another
sends them over sockets to real vLLM, and reads what its engine was given.

The server they are meant for serves SERVED_NAME, without API keys, under POLICY, and under
APP_POLICY for UNDER_PROFILES.
"""

from tests.support.hostile_requests.bodies import BODIES
from tests.support.hostile_requests.headers import HEADERS
from tests.support.hostile_requests.keys import KEYS
from tests.support.hostile_requests.lengths import LIMITS, TASKS
from tests.support.hostile_requests.messages import MESSAGES
from tests.support.hostile_requests.paths import PATHS
from tests.support.hostile_requests.profiles import APP_POLICY, PRESET, UNDER_PROFILES
from tests.support.hostile_requests.request import (
    CHAT,
    CODE,
    COMPLETIONS,
    POLICY,
    RAW,
    RESPONSES,
    SERVED_NAME,
    USER,
    Hostile,
    chat,
    complete,
    respond,
)

HOSTILE = (*PATHS, *BODIES, *HEADERS, *LIMITS, *TASKS, *MESSAGES, *KEYS)

__all__ = [
    "APP_POLICY",
    "CHAT",
    "CODE",
    "COMPLETIONS",
    "HOSTILE",
    "POLICY",
    "PRESET",
    "RAW",
    "RESPONSES",
    "SERVED_NAME",
    "UNDER_PROFILES",
    "USER",
    "Hostile",
    "chat",
    "complete",
    "respond",
]
