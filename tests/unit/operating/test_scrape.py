"""Pods that are asked over a real connection: what they hear, and every way to answer badly."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from vibethinker_operator import samples, scrape
from vibethinker_operator.samples import REFUSAL_REASONS, Sample, SampleRefused
from vibethinker_operator.scrape import FleetScraper, build_session

from tests.unit.operating.builders import START
from tests.unit.operating.pods import MESSAGE, PAGE, always, make_target, serve, speak


@pytest.fixture
async def scraper(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FleetScraper]:
    # A busy machine is no slow pod.
    monkeypatch.setattr(scrape, "_TIMEOUT", aiohttp.ClientTimeout(total=60))
    async with build_session() as session:
        yield FleetScraper(session, lambda: START)


async def test_a_pod_is_told_and_answers_in_one_request(scraper: FleetScraper):
    heard: list[tuple[web.Request, str]] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append((request, await request.text()))
        return web.Response(text=PAGE)

    async with serve(answer) as pod:
        swept = await scraper.sweep([pod])
    assert swept == (Sample("a", START, queue_length=3.0, running=17.0),)
    ((request, body),) = heard
    assert (request.method, request.path) == ("POST", "/-/fleet")
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.headers["Accept-Encoding"] == "identity"
    assert json.loads(body) == MESSAGE


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        pytest.param("", samples.EMPTY, id="empty"),
        pytest.param("up 1\n", samples.EMPTY, id="of somebody else"),
        pytest.param("<html>502 Bad Gateway</html>\n", samples.HTML, id="html"),
        pytest.param("vibethinker_requests_running NaN\n", samples.NOT_FINITE, id="nan"),
        pytest.param("vibethinker_requests_running -1\n", samples.OUT_OF_RANGE, id="negative"),
        pytest.param("vibethinker_requests_running 1", samples.TRUNCATED, id="cut off"),
        pytest.param(PAGE + PAGE, samples.DUPLICATE, id="twice"),
        pytest.param(b"\xff\xfe\n", samples.MALFORMED, id="no text"),
        pytest.param(PAGE + "#" * samples.MAX_PAGE_BYTES, samples.TOO_LARGE, id="huge"),
    ],
)
async def test_a_broken_page_is_no_number(scraper: FleetScraper, page: str | bytes, reason: str):
    async with serve(always(page)) as pod:
        assert await ask(scraper, pod) == reason


@pytest.mark.parametrize("status", [201, 204, 302, 401, 404, 429, 500, 503])
async def test_only_200_is_an_answer(scraper: FleetScraper, status: int):
    headers = {"Location": "/elsewhere"} if status == 302 else {}
    async with serve(always(b"" if status == 204 else PAGE, status=status, headers=headers)) as pod:
        assert await ask(scraper, pod) == samples.WRONG_STATUS


async def test_a_redirect_is_not_followed_so_the_token_goes_nowhere_else(scraper: FleetScraper):
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async with serve(answer) as pod:
        assert await ask(scraper, pod) == samples.WRONG_STATUS
    assert asked == ["/-/fleet"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        pytest.param(b"", samples.UNREACHABLE, id="hangs up"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", samples.UNREACHABLE, id="not http"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + PAGE.encode(),
            samples.UNREACHABLE,
            id="hangs up half way",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
            samples.UNREACHABLE,
            id="endless header",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            samples.UNREACHABLE,
            id="bad chunk",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
            samples.ENCODED,
            id="packed",
        ),
    ],
)
async def test_a_broken_conversation_is_no_number(scraper: FleetScraper, said: bytes, reason: str):
    async with speak(said) as pod:
        assert await ask(scraper, pod) == reason


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="silent"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nvibe", id="half a page"),
    ],
)
async def test_a_pod_that_hangs_is_given_up(
    scraper: FleetScraper, said: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scrape, "_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    async with speak(said, hold=True) as pod:
        assert await ask(scraper, pod) == samples.TIMEOUT


async def test_an_endless_page_is_cut_off_and_its_connection_closed(scraper: FleetScraper):
    gone = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"vibethinker_draining 0\n" * 4096)
        finally:
            gone.set()

    async with serve(answer) as pod:
        assert await ask(scraper, pod) == samples.TOO_LARGE
        await asyncio.wait_for(gone.wait(), 10)


async def test_nobody_at_the_address_is_no_number(scraper: FleetScraper):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert await ask(scraper, make_target(f"http://127.0.0.1:{port}")) == samples.UNREACHABLE


async def test_a_slow_or_broken_pod_holds_up_no_other(scraper: FleetScraper):
    answered = asyncio.Event()

    async def last(_request: web.Request) -> web.Response:
        await answered.wait()
        return web.Response(text=PAGE)

    async def first(_request: web.Request) -> web.Response:
        answered.set()
        return web.Response(text=PAGE)

    async with serve(last, "a") as slow, speak(b"") as broken, serve(first, "b") as good:
        swept = await scraper.sweep([slow, broken, good])
    assert [type(reading) for reading in swept] == [Sample, SampleRefused, Sample]
    assert [reading.pod_uid for reading in swept] == ["a", "a", "b"]


async def test_answers_and_silences_are_timed(scraper: FleetScraper):
    async with serve(always(PAGE)) as good, speak(b"") as broken:
        await scraper.sweep([good, broken])
    samples = {
        s.name: s.value for family in scraper.scrape_seconds.collect() for s in family.samples
    }
    assert samples["vibethinker_operator_scrape_duration_seconds_count"] == 2


async def ask(scraper: FleetScraper, pod: scrape.Target) -> str:
    """Why the pod's answer is refused: a whole reading with a reason that is counted."""
    (refused,) = await scraper.sweep([pod])
    assert isinstance(refused, SampleRefused)
    assert (refused.pod_uid, refused.time) == ("a", START)
    assert refused.reason in REFUSAL_REASONS
    assert refused.detail
    return refused.reason
