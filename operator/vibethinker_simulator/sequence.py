"""One request inside a simulated engine."""

from typing import Final

KNOWN: Final = 0
NEWCOMER: Final = 1
"""Classes of priority, as admission gives them: known sessions go first."""


class Sequence:
    """A request that an engine was given. Written by its `Replica` alone.

    Attributes:
        number: Of the request in its trace.
        arrival: When the engine got it, in seconds.
        rank: KNOWN or NEWCOMER.
        prompt_tokens: Tokens of its prompt.
        output_tokens: Tokens that it will generate, cut by its cap.
        generated: Tokens generated so far.
        first_token_at: When it had its first token; None before.
        preemptions: How often it was preempted.
    """

    __slots__ = (
        "arrival",
        "computed",
        "end_tick",
        "first_token_at",
        "generated",
        "number",
        "offset",
        "output_tokens",
        "preemptions",
        "prompt_tokens",
        "rank",
        "to_compute",
    )

    def __init__(
        self, number: int, arrival: float, rank: int, prompt_tokens: int, output_tokens: int
    ) -> None:
        self.number = number
        self.arrival = arrival
        self.rank = rank
        self.prompt_tokens = prompt_tokens
        self.output_tokens = output_tokens
        self.generated = 0
        self.first_token_at: float | None = None
        self.preemptions = 0
        # Tokens whose KV must be computed before the next one is generated, and those that are.
        self.to_compute = prompt_tokens
        self.computed = 0
        # Where its decoding began and will end, in steps of its replica.
        self.offset = 0
        self.end_tick = 0
