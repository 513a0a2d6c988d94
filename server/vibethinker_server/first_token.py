"""How long a newcomer would wait for its first token. Pure but for the fold of engine steps."""

from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 30.0
# Less time under load than this says nothing of a rate.
LEAST_BUSY_SECONDS = 1.0
# After a longer pause between two steps nothing waited, whatever the last one left behind: the
# clients of those prompts had gone.
LONGEST_STEP_SECONDS = 5.0
# Of the pace, what is left to newcomers however many known sessions come: some always move up.
LEAST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Step:
    """What one engine step did: when it ended, how long it worked on prompts, which it finished."""

    at: float
    busy_seconds: float
    prompt_tokens: int


class PromptRate:
    """Prompt tokens that get their first answer per second, while prompts wait.

    A rate of what leaves the backlog, so it holds whatever the prompts wait for: computing, seats
    or memory, and counts cached prefixes as what they are, quickly done.
    """

    def __init__(self) -> None:
        self._steps: deque[Step] = deque()
        self._busy_seconds = 0.0
        self._prompt_tokens = 0
        self._last: float | None = None
        self._backlog = 0

    def add_step(
        self, now: float, prompt_tokens: int, backlog: int, longest_wait: float = 0.0
    ) -> None:
        """Takes one engine step that ended at `now`.

        Args:
            now: monotonic seconds.
            prompt_tokens: of the prompts that got their first token in this step.
            backlog: prompt tokens without a first token after it.
            longest_wait: seconds that the first of these prompts had waited for its token.
        """
        busy = 0.0 if self._last is None else now - self._last
        if self._backlog == 0 or busy > LONGEST_STEP_SECONDS:
            # The engine idled until these prompts came, and idling says nothing of its speed.
            busy = min(busy, longest_wait)
        if self._backlog > 0 or prompt_tokens > 0:
            self._add(Step(now, busy, prompt_tokens))
        self._last, self._backlog = now, backlog
        while self._steps and now - self._steps[0].at >= WINDOW_SECONDS:
            gone = self._steps.popleft()
            self._busy_seconds -= gone.busy_seconds
            self._prompt_tokens -= gone.prompt_tokens

    def _add(self, step: Step) -> None:
        self._steps.append(step)
        self._busy_seconds += step.busy_seconds
        self._prompt_tokens += step.prompt_tokens

    @property
    def tokens_per_second(self) -> float | None:
        """The rate of the WINDOW_SECONDS before the last step, None: not known."""
        if self._busy_seconds < LEAST_BUSY_SECONDS or not self._prompt_tokens:
            return None
        return self._prompt_tokens / self._busy_seconds


def predict_first_token(
    *,
    backlog_tokens: int | None,
    tokens_per_second: float | None,
    waiting_for_seats: int,
    finished_per_second: float | None,
    known_share: float = 0.0,
) -> float | None:
    """Returns the seconds until the prompts before a newcomer's are done, None: not known.

    Its own prompt is left out, so that an idle pod refuses nobody however slow it is. Known
    sessions that come meanwhile go first, so newcomers move up at the rest of the pace.

    Args:
        backlog_tokens: prompt tokens that have no first token yet.
        tokens_per_second: how fast they get theirs.
        waiting_for_seats: requests that wait while every seat is taken.
        finished_per_second: how often a seat gets free.
        known_share: requests of known sessions over all that finish.
    """
    left = max(LEAST_SHARE, 1 - known_share)
    waits = []
    if backlog_tokens == 0:
        waits.append(0.0)
    elif backlog_tokens is not None and tokens_per_second:
        waits.append(backlog_tokens / tokens_per_second / left)
    if waiting_for_seats and finished_per_second:
        waits.append(waiting_for_seats / finished_per_second / left)
    return max(waits, default=None)
