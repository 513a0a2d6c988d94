"""A workload: when requests come, how long their prompts and answers are, whose turn each is."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

FOLLOW_UP_SHARE: Final = 0.5
"""Share of requests that continue a conversation, where a trace does not say. Assumed: public
traces leave sessions out."""

TURN_PAUSE_SECONDS: Final = 30.0
"""Least time from one turn to the next, where a trace does not say: an answer is read first."""

OPEN_SESSIONS: Final = 500
"""Of this many sessions that were last active, one has the next turn."""


class Request(NamedTuple):
    """One request.

    Attributes:
        time: When it comes, in seconds from the start of the trace.
        prompt_tokens: Tokens of its prompt.
        output_tokens: Tokens that it would generate if nothing cut it.
        session: Number of its conversation.
    """

    time: float
    prompt_tokens: int
    output_tokens: int
    session: int


@dataclass(frozen=True)
class Trace:
    """Requests in order of time.

    Attributes:
        name: What tables call it.
        requests: The requests.
        seconds: How long the trace lasts.
    """

    name: str
    requests: tuple[Request, ...]
    seconds: float

    def cut(self, seconds: float) -> "Trace":
        """Returns the first `seconds` of the trace."""
        kept = tuple(request for request in self.requests if request.time < seconds)
        return replace(self, requests=kept, seconds=min(seconds, self.seconds))


def superpose(trace: Trace, copies: int) -> Trace:
    """Returns `copies` of a trace at once, each shifted round by its part of the whole.

    Laying copies over each other smooths bursts: a trace at once its size belongs beside it.
    """
    sessions = 1 + max((request.session for request in trace.requests), default=0)
    merged = (
        request._replace(
            time=(request.time + copy * trace.seconds / copies) % trace.seconds,
            session=request.session + copy * sessions,
        )
        for copy in range(copies)
        for request in trace.requests
    )
    return Trace(f"{trace.name} x{copies}", tuple(sorted(merged)), trace.seconds)


def assign_sessions(requests: Iterable[tuple[float, int, int]], seed: int = 1) -> Iterator[Request]:
    """Yields requests of (time, prompt tokens, output tokens) with a conversation for each.

    Every second one, by chance, is the next turn of a conversation that paused long enough.
    """
    chance = random.Random(seed)  # noqa: S311 (a reproducible draw, not a secret)
    open_sessions: list[tuple[float, int]] = []
    count = 0
    for time, prompt_tokens, output_tokens in requests:
        session = _continue_session(open_sessions, time, chance)
        if session is None:
            session, count = count, count + 1
        open_sessions.append((time, session))
        if len(open_sessions) > OPEN_SESSIONS:
            del open_sessions[0]
        yield Request(time, prompt_tokens, output_tokens, session)


def _continue_session(
    open_sessions: list[tuple[float, int]], time: float, chance: random.Random
) -> int | None:
    if chance.random() >= FOLLOW_UP_SHARE or not open_sessions:
        return None
    index = chance.randrange(len(open_sessions))
    last, session = open_sessions[index]
    if time - last < TURN_PAUSE_SECONDS:
        return None
    del open_sessions[index]
    return session
