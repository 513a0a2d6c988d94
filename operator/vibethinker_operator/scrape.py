"""Asks every pod for its load, and tells it policy and lease in the same request.

aiohttp, which kopf brings: in a loop with many hosts one shared httpx client costs many times as
much (tests/bench/bench_scrape.py). Every failure is a value: a sweep never raises because of a pod.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from prometheus_client import Histogram

from vibethinker_operator.names import METRIC_SCRAPE_SECONDS, OPS_PORT, PATH_DRAIN, PATH_FLEET
from vibethinker_operator.observed import ObservedPod
from vibethinker_operator.samples import (
    ENCODED,
    MAX_PAGE_BYTES,
    TIMEOUT,
    TOO_LARGE,
    UNREACHABLE,
    WRONG_STATUS,
    Sample,
    SampleRefused,
    parse_fleet_page,
)

CONCURRENCY: Final = 32
"""Requests open at once, over all fleets: enough that a slow pod holds up nobody, few enough that
a thousand pods do not answer in the same millisecond."""

TIMEOUT_SECONDS: Final = 2.0
"""For the whole exchange. A pod answers from memory in a millisecond."""

SCRAPE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)

_TIMEOUT: Final = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)


@dataclass(frozen=True, slots=True)
class Target:
    """One pod to ask.

    Attributes:
        pod_uid: The pod.
        url: Its ops port, as `http://10.0.0.7:9100`.
        token: The fleet's bearer token.
        message: What it is told (`build_fleet_message`).
    """

    pod_uid: str
    url: str
    token: str
    message: Mapping[str, Any]


def build_target(pod: ObservedPod, *, token: str, message: Mapping[str, Any]) -> Target | None:
    """Returns how to reach a pod, or None while it has no address."""
    if pod.ip is None or not pod.active:
        return None
    host = f"[{pod.ip}]" if ":" in pod.ip else pod.ip
    return Target(pod.uid, f"http://{host}:{OPS_PORT}", token, message)


def build_session() -> aiohttp.ClientSession:
    """Returns the session of all scrapes: keep-alive, no cookies, nothing unpacked.

    A body is not unpacked, because a few bytes of gzip may hold gigabytes.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=CONCURRENCY, keepalive_timeout=30.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
    )


class FleetScraper:
    """Asks pods over one session; `clock` gives the unix seconds of each answer."""

    def __init__(self, session: aiohttp.ClientSession, clock: Callable[[], float]) -> None:
        self._session = session
        self._clock = clock
        self._slots = asyncio.Semaphore(CONCURRENCY)
        self.scrape_seconds = Histogram(
            METRIC_SCRAPE_SECONDS,
            "Seconds from asking a server pod to its answer, or to giving it up.",
            buckets=SCRAPE_BUCKETS,
            registry=None,
        )

    async def sweep(self, targets: Iterable[Target]) -> tuple[Sample | SampleRefused, ...]:
        """Asks all pods at once and returns one reading for each."""
        return tuple(await asyncio.gather(*(self._scrape(target) for target in targets)))

    async def mark_drain(self, target: Target) -> SampleRefused | None:
        """Tells a pod to drain; returns why it did not hear it, if so. May be repeated."""
        answer = await self._ask("POST", target, PATH_DRAIN)
        return answer if isinstance(answer, SampleRefused) else None

    async def undo_drain(self, target: Target) -> SampleRefused | None:
        """Tells a pod to serve again; returns why it does not, if so.

        A drain that a SIGTERM began cannot be undone (409, `wrong_status`).
        """
        answer = await self._ask("DELETE", target, PATH_DRAIN)
        return answer if isinstance(answer, SampleRefused) else None

    async def _scrape(self, target: Target) -> Sample | SampleRefused:
        asked_at = self._clock()
        answer = await self._ask("POST", target, PATH_FLEET, message=target.message)
        self.scrape_seconds.observe(self._clock() - asked_at)
        if isinstance(answer, SampleRefused):
            return answer
        return parse_fleet_page(answer, pod_uid=target.pod_uid, time=self._clock())

    async def _ask(
        self, method: str, target: Target, path: str, *, message: Mapping[str, Any] | None = None
    ) -> bytes | SampleRefused:
        try:
            async with (
                self._slots,
                self._session.request(
                    method,
                    target.url + path,
                    json=message,
                    headers={"Authorization": f"Bearer {target.token}"},
                    allow_redirects=False,
                    timeout=_TIMEOUT,
                ) as response,
            ):
                return await _read_answer(response)
        except _RefusedAnswerError as refused:
            reason, detail = refused.reason, refused.detail
        except TimeoutError:
            reason, detail = TIMEOUT, f"no whole answer within {TIMEOUT_SECONDS:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason, detail = UNREACHABLE, f"{type(error).__name__}: {error}"[:200]
        return SampleRefused(target.pod_uid, self._clock(), reason, detail)


class _RefusedAnswerError(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


async def _read_answer(response: aiohttp.ClientResponse) -> bytes:
    if response.status != HTTPStatus.OK:
        raise _RefusedAnswerError(WRONG_STATUS, f"answered {response.status}, not 200")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _RefusedAnswerError(ENCODED, "the answer is packed, though none was asked for")
    read = bytearray()
    async for chunk in response.content.iter_any():
        read += chunk
        if len(read) > MAX_PAGE_BYTES:
            response.close()  # the rest is not waited for, and the connection not kept
            raise _RefusedAnswerError(TOO_LARGE, f"more than {MAX_PAGE_BYTES} bytes")
    return bytes(read)
