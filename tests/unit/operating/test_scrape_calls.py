"""How pods are asked: over kept connections, so many at once, at the right address."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from vibethinker_operator import samples, scrape
from vibethinker_operator.observed import ObservedPod
from vibethinker_operator.samples import Sample
from vibethinker_operator.scrape import (
    CONCURRENCY,
    FleetScraper,
    Target,
    build_session,
    build_target,
)

from tests.unit.deciding.builders import make_pod
from tests.unit.operating.builders import START
from tests.unit.operating.pods import MESSAGE, PAGE, always, make_target, serve


@pytest.fixture
async def scraper(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FleetScraper]:
    # A busy machine is no slow pod.
    monkeypatch.setattr(scrape, "_TIMEOUT", aiohttp.ClientTimeout(total=60))
    async with build_session() as session:
        yield FleetScraper(session, lambda: START)


async def test_the_connection_is_kept_and_cookies_are_not(scraper: FleetScraper):
    seen: list[tuple[object, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        seen.append((request.transport.get_extra_info("peername"), request.headers.get("Cookie")))
        return web.Response(text=PAGE, headers={"Set-Cookie": "pod=a"})

    async with serve(answer) as pod:
        await scraper.sweep([pod])
        await scraper.sweep([pod])
    assert seen[0] == seen[1]
    assert seen[1][1] is None


async def test_no_more_pods_are_asked_at_once_than_agreed(monkeypatch: pytest.MonkeyPatch):
    opened, most, full, go = 0, 0, asyncio.Event(), asyncio.Event()

    async def answer(_request: web.Request) -> web.Response:
        nonlocal opened, most
        opened += 1
        most = max(most, opened)
        if opened == CONCURRENCY:
            full.set()
        await go.wait()
        opened -= 1
        return web.Response(text=PAGE)

    monkeypatch.setattr(scrape, "_TIMEOUT", aiohttp.ClientTimeout(total=60))
    async with serve(answer) as pod, build_session() as session:
        # More than the connector allows, so that the scraper's own bound is what is seen.
        monkeypatch.setattr(session.connector, "_limit", 10 * CONCURRENCY)
        sweep = asyncio.create_task(
            FleetScraper(session, lambda: START).sweep([pod] * (2 * CONCURRENCY))
        )
        await asyncio.wait_for(full.wait(), 10)
        await asyncio.sleep(0.05)
        go.set()
        swept = await sweep
    assert most == CONCURRENCY
    assert all(isinstance(reading, Sample) for reading in swept)


async def test_a_drain_is_marked_and_undone_over_the_same_port(scraper: FleetScraper):
    asked: list[tuple[str, str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.method, request.path, request.headers["Authorization"]))
        return web.Response(text="ok")

    async with serve(answer) as pod:
        assert await scraper.mark_drain(pod) is None
        assert await scraper.undo_drain(pod) is None
    assert asked == [
        ("POST", "/-/drain", "Bearer s3cret"),
        ("DELETE", "/-/drain", "Bearer s3cret"),
    ]


async def test_a_drain_that_cannot_be_undone_is_told(scraper: FleetScraper):
    async with serve(always("", status=409)) as pod:
        refused = await scraper.undo_drain(pod)
    assert refused is not None
    assert (refused.reason, refused.detail) == (samples.WRONG_STATUS, "answered 409, not 200")


@pytest.mark.parametrize(
    ("ip", "url"), [("10.0.0.7", "http://10.0.0.7:9100"), ("fd00::7", "http://[fd00::7]:9100")]
)
def test_a_pod_is_asked_at_its_ops_port(ip: str, url: str):
    target = reach(make_pod("a", ip=ip))
    assert target is not None
    assert (target.pod_uid, target.url) == ("a", url)


@pytest.mark.parametrize("facts", [{"ip": None}, {"terminating": True}, {"finished": True}])
def test_a_pod_without_an_address_or_on_its_way_out_is_not_asked(facts: dict[str, object]):
    assert reach(make_pod("a", **facts)) is None


def reach(pod: ObservedPod) -> Target | None:
    return build_target(pod, token=make_target("").token, message=MESSAGE)
