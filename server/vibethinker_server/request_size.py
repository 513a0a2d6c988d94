"""How much KV a request will likely hold: learned from those that finished, never max_tokens.

Tokens of the prompt from its bytes, tokens of the answer from a quantile of finished answers. Both
are guesses on purpose: counting tokens would cost every request more than all else that we do.
"""

from bisect import bisect_left, insort
from collections import deque
from math import ceil

WINDOW = 256
# With fewer answers than this, an answer counts as long as it may get.
FEWEST = 16
# One answer in ten is longer: the hard line is there for when several of them meet.
QUANTILE = 0.9
# Of English under Qwen's tokenizer it is some 4; fewer bytes a token promise less.
UNKNOWN_BYTES_PER_TOKEN = 3.0
# Old requests count half once so many tokens have been seen.
HALVING_TOKENS = 1_000_000


class RequestSizes:
    """Folds finished requests. Only the event loop writes."""

    def __init__(self) -> None:
        self._lengths: deque[int] = deque()
        self._ordered: list[int] = []
        self._likely: int | None = None
        self._bytes = 0.0
        self._tokens = 0.0

    def add_finished(self, prompt_tokens: int, answer_tokens: int) -> None:
        """Takes what the engine says of one finished request."""
        self._tokens += prompt_tokens
        self._lengths.append(answer_tokens)
        insort(self._ordered, answer_tokens)
        if len(self._lengths) > WINDOW:
            del self._ordered[bisect_left(self._ordered, self._lengths.popleft())]
        if len(self._lengths) >= FEWEST:
            self._likely = self._ordered[ceil(QUANTILE * len(self._ordered)) - 1]

    def add_answered(self, prompt_bytes: int) -> None:
        """Takes the size of a whole prompt whose answer ended; `add_finished` brings its tokens."""
        self._bytes += prompt_bytes
        if self._tokens > HALVING_TOKENS:
            self._tokens /= 2
            self._bytes /= 2

    @property
    def bytes_per_token(self) -> float:
        """Bytes of a prompt for each of its tokens, at least 1."""
        if len(self._lengths) < FEWEST or not self._bytes:
            return UNKNOWN_BYTES_PER_TOKEN
        return max(1.0, self._bytes / max(1.0, self._tokens))

    def estimate_tokens(
        self, prompt_bytes: int, limit: int, sequences: int, block_size: int
    ) -> int:
        """Returns the tokens of KV that a request will likely hold at its end.

        The engine gives out whole blocks: one a sequence is not full.

        Args:
            prompt_bytes: of its prompt.
            limit: the most tokens of each answer.
            sequences: answers that it asks for.
            block_size: tokens of one block.
        """
        answer = limit if self._likely is None else min(limit, self._likely)
        return ceil(prompt_bytes / self.bytes_per_token) + sequences * (answer + block_size)
