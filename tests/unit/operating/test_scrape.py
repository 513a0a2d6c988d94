"""Pods that are asked over a real connection: what they hear, and every way to answer badly."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from vibethinker_operator import samples, scrape
from vibethinker_operator.observed import ObservedPod
from vibethinker_operator.samples import REFUSAL_REASONS, Sample, SampleRefused
from vibethinker_operator.scrape import CONCURRENCY, FleetScraper, build_session, build_target

from tests.unit.deciding.builders import make_pod
from tests.unit.operating.builders import START
from tests.unit.operating.pods import MESSAGE, PAGE, always, make_target, serve, speak


@pytest.fixture
async def scraper() -> AsyncIterator[FleetScraper]:
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


def reach(pod: ObservedPod) -> scrape.Target | None:
    return build_target(pod, token=make_target("").token, message=MESSAGE)


async def ask(scraper: FleetScraper, pod: scrape.Target) -> str:
    """Why the pod's answer is refused: a whole reading with a reason that is counted."""
    (refused,) = await scraper.sweep([pod])
    assert isinstance(refused, SampleRefused)
    assert (refused.pod_uid, refused.time) == ("a", START)
    assert refused.reason in REFUSAL_REASONS
    assert refused.detail
    return refused.reason
