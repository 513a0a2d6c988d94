"""Asks llama-server four times a second how it is, and tells the runtime.

What it cannot say makes the load unknown. Where it is gone, nobody is let in until it is back.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from vibethinker_server import names
from vibethinker_server.llama_cpp.seats import Seat, Seats
from vibethinker_server.llama_cpp.slots import (
    Slot,
    has_moved,
    kv_usage_ratio,
    read_slots,
    without_first_token,
)
from vibethinker_server.runtime import Runtime

INTERVAL_SECONDS = 0.25
# It answers while it computes; one that does not for so long is not to be believed idle.
TIMEOUT = ClientTimeout(total=5.0)
DEFERRED = "llamacpp:requests_deferred"
LOADING = 503

log = logging.getLogger(__name__)


class EngineGoneError(Exception):
    """llama-server does not listen, or loads its model."""


@dataclass(frozen=True, slots=True)
class SchedulerView:
    """What EngineStats reads of vLLM's SchedulerStats."""

    kv_cache_usage: float
    num_running_reqs: int
    num_waiting_reqs: int


@dataclass(frozen=True, slots=True)
class FinishedView:
    """What EngineStats reads of vLLM's FinishedRequestStats."""

    num_prompt_tokens: int
    num_generation_tokens: int


@dataclass(frozen=True, slots=True)
class IterationView:
    """What EngineStats reads of vLLM's IterationStats."""

    finished_requests: list[FinishedView] = field(default_factory=list)
    num_prompt_tokens: int = 0
    time_to_first_tokens_iter: list[float] = field(default_factory=list)


class EnginePage(Collector):
    """llama-server's own series as last read, for the ops port's /metrics."""

    def __init__(self) -> None:
        self.text = ""

    def collect(self) -> Iterable[Metric]:
        """Returns its families."""
        return text_string_to_metric_families(self.text)


class Statistics:
    """Folds what llama-server says. Only the event loop calls it."""

    def __init__(self, runtime: Runtime, seats: Seats, page: EnginePage) -> None:
        self._runtime = runtime
        self._seats = seats
        self._page = page
        self._slots: tuple[Slot, ...] = ()
        self._finished: list[FinishedView] = []
        self._begun: list[Seat] = []

    def add_finished(self, seat: Seat, prompt_tokens: int, answer_tokens: int) -> None:
        """Takes the tokens of one answer that ended; short ones begin and end between readings."""
        self._finished.append(FinishedView(prompt_tokens, answer_tokens))
        if not seat.begun:
            seat.begun = True
            self._begun.append(seat)

    def fold(self, slots: tuple[Slot, ...], page: str) -> None:
        """Takes one reading.

        Raises:
            ValueError: the page says nothing of deferred requests.
        """
        runtime, pool = self._runtime, self._runtime.settings.llama_context_tokens
        waiting = self._seats.waiting + read_deferred(page)
        scheduler = SchedulerView(kv_usage_ratio(slots, pool), len(slots), waiting)
        moved = has_moved(self._slots, slots) or bool(self._finished)
        self._slots, self._page.text = slots, page
        if moved:
            iteration = self._iterate(without_first_token(slots))
            now = runtime.clock.monotonic()
            runtime.stats.record(scheduler, iteration, now, self._seats.backlog_tokens())
        else:
            runtime.stats.observe(scheduler)

    def lose(self) -> None:
        """Makes the load unknown."""
        self._slots, self._page.text = (), ""
        self._runtime.stats.reading = None

    def _iterate(self, computing_prompts: int) -> IterationView:
        begun = self._begun + begin_seats(self._seats.seated, computing_prompts)
        now, self._begun = self._runtime.clock.monotonic(), []
        finished, self._finished = self._finished, []
        return IterationView(
            finished_requests=finished,
            num_prompt_tokens=sum(seat.need.prompt_tokens for seat in begun),
            time_to_first_tokens_iter=[now - seat.since for seat in begun],
        )


def begin_seats(seated: Iterable[Seat], computing_prompts: int) -> list[Seat]:
    """Marks and returns the seats that got their first token since the last time.

    llama-server does not say which: it takes prompts in the order in which they come, so those that
    it still computes are the newest.
    """
    begun = []
    for seat in reversed(list(seated)):
        if computing_prompts > 0:
            computing_prompts -= seat.need.sequences
        elif not seat.begun:
            seat.begun = True
            begun.append(seat)
    return begun


def read_deferred(page: str) -> int:
    """Returns the requests that wait inside llama-server.

    Raises:
        ValueError: its page does not tell, or has another form than it had.
    """
    for line in page.splitlines():
        name, _, value = line.partition(" ")
        if name == DEFERRED:
            return int(float(value))
    raise ValueError(f"no {DEFERRED} on llama-server's page")


async def is_up(session: ClientSession) -> bool:
    """Tells whether llama-server listens and has loaded its model."""
    try:
        async with session.get(names.PATH_HEALTH, timeout=TIMEOUT) as answer:
            return answer.ok
    except (ClientError, TimeoutError):
        return False


async def read_engine(session: ClientSession) -> tuple[tuple[Slot, ...], str]:
    """Returns the slots at work, and the metrics page.

    Raises:
        EngineGoneError: it does not listen, or loads its model.
        Exception: it answers otherwise than it did, or not in time.
    """
    try:
        async with session.get("/slots", timeout=TIMEOUT) as answer:
            if answer.status == LOADING:
                raise EngineGoneError
            answer.raise_for_status()
            slots = read_slots(await answer.json())
        async with session.get(names.PATH_METRICS, timeout=TIMEOUT) as answer:
            answer.raise_for_status()
            return slots, await answer.text()
    except ClientConnectorError as error:
        raise EngineGoneError from error


async def watch(runtime: Runtime, statistics: Statistics, session: ClientSession) -> None:
    """Reads for ever; an error costs one reading and is counted."""
    while True:
        try:
            statistics.fold(*await read_engine(session))
        except EngineGoneError:
            statistics.lose()
            raise
        except Exception:
            statistics.lose()
            what = "llama-server's statistics could not be read; load is unknown"
            runtime.count_error(names.WHERE_ENGINE_STATS, log, what)
        await asyncio.sleep(INTERVAL_SECONDS)
