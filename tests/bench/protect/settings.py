"""The benchmark's figures: what the pool holds, who asks for what, for how long at most."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import real_engine
from tests.e2e.engine_process import POLICY

OUT = Path("build/bench/protect.json")
POOL_TOKENS = 6_144
KNOWN_SESSIONS = 12
# In the calm there is room for everybody; a storm wants twice the pool and more.
CALM_NEWCOMERS_PER_SECOND = 5
NEWCOMERS_PER_SECOND = 22
SUSTAINED_SECONDS = 2
# The line, as a share of the pool in use.
LINE_OF_POOL = 0.85


@dataclass(frozen=True)
class Size:
    """One request: characters of its prompt, which are its tokens, and tokens of its answer."""

    prompt: int
    answer: int


# Short prompts and longer answers: what overflows the pool is growth, not what was let in.
KNOWN = Size(prompt=40, answer=90)
NEWCOMER = Size(prompt=40, answer=100)
# A limit that vLLM itself offers, on requests that have not ended: as many as fit at their longest.
QUEUE_LIMIT = POOL_TOKENS // (NEWCOMER.prompt + NEWCOMER.answer)
FIRST_TURNS_SECONDS = 120.0
CALM_SECONDS = 15.0
STORM_SECONDS = 25.0
REST_SECONDS = 4.0


def engine_settings() -> dict[str, Any]:
    """The real engine of tests/e2e with another pool and a seat for everybody."""
    return real_engine.settings() | {
        "kvCacheMemoryBytes": POOL_TOKENS * real_engine.BYTES_PER_TOKEN,
        "maxNumSeqs": 128,
    }


def policy(line_percentage: int) -> dict[str, Any]:
    """The policy with the line at so many percent of the machine's memory for the engine."""
    return POLICY | {
        "saturation": {
            "memoryUsedPercentage": line_percentage,
            "memoryRecoverPercentage": max(1, line_percentage - 3),
            "requestQueueLength": 4,
            "sustainedSeconds": SUSTAINED_SECONDS,
        },
        "overload": {"policy": "ScaleOutThenReject", "maxQueuedRequests": 256},
        # As on a machine that computes in a fraction of the time: a wait of seconds is no fault.
        "profiles": [{"name": "webui", "kind": "WebUI", "timeToFirstTokenSeconds": 600}],
    }
