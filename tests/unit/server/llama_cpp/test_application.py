"""The whole application before a stand-in for llama-server, over a real connection to it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from aiohttp import web
from vibethinker_server import lifespan
from vibethinker_server.llama_cpp import application as application_module
from vibethinker_server.llama_cpp import proxy as proxy_module
from vibethinker_server.llama_cpp import statistics as statistics_module
from vibethinker_server.llama_cpp.application import Application
from vibethinker_server.llama_cpp.statistics import EnginePage
from vibethinker_server.profiles import Isolation, Profile, ProfileKind
from vibethinker_server.ticket import issue_ticket
from vibethinker_server.weights import find_weights

from tests.support.llama_settings import LLAMA, NO_GPU, write_gguf
from tests.support.server_runtime import Rig, make_lease, make_policy, make_rig
from tests.support.stub_llama_server import StubLlamaServer, busy, stub_llama_server

SECONDS = 10.0
COMPLETION = {"prompt": "hi", "max_tokens": 4}


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (application_module, statistics_module):
        monkeypatch.setattr(module, "INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(proxy_module, "LEAVING_SECONDS", 0.01)
    monkeypatch.setattr(lifespan, "POLL_SECONDS", 0.01)
    # Those of the process that runs the tests are not to be taken.
    monkeypatch.setattr(application_module, "take_early_sigterm", lambda: None)


@pytest.fixture
async def stub() -> AsyncIterator[StubLlamaServer]:
    async with stub_llama_server() as stub:
        yield stub


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    model = {"model": str(write_gguf(tmp_path / "model.gguf"))}
    rig = make_rig(tmp_path, **LLAMA | model, **NO_GPU)
    rig.runtime.answering = rig.runtime.stats.initialized = False
    return rig


async def until(condition: Any) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


class Visit:
    """One request, and what came back of it so far."""

    def __init__(self, app: Application, body: Any, *, path: str = "/v1/completions") -> None:
        self.messages: list[Any] = []
        self._app = app
        self._path = path
        self._pending = [{"type": "http.request", "body": json.dumps(body).encode()}]
        self._left = asyncio.Event()
        self.headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
        self.method = "POST"
        self.task: asyncio.Task[None] | None = None

    def begin(self) -> "Visit":
        scope = {
            "type": "http",
            "method": self.method,
            "path": self._path,
            "headers": self.headers,
            "http_version": "1.1",
            "client": ("10.0.0.9", 4000),
        }
        self.task = asyncio.create_task(self._app(scope, self._receive, self._send))
        return self

    async def end(self) -> "Visit":
        assert self.task is not None
        async with asyncio.timeout(SECONDS):
            await self.task
        return self

    def leave(self) -> None:
        self._left.set()

    async def _receive(self) -> Any:
        if self._pending:
            return self._pending.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int | None:
        return self.messages[0]["status"] if self.messages else None

    @property
    def answered(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(one.get("body", b"") for one in self.messages[1:])

    @property
    def error(self) -> Any:
        return json.loads(self.body)["error"]


async def ask(app: Application, body: Any = COMPLETION, **how: Any) -> Visit:
    return await Visit(app, body, **how).begin().end()


@asynccontextmanager
async def living(rig: Rig, stub: StubLlamaServer) -> AsyncIterator[Application]:
    app = Application(rig.runtime, stub.address, EnginePage())
    incoming: asyncio.Queue[Any] = asyncio.Queue()
    sent: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await incoming.put({"type": "lifespan.startup"})
    life = asyncio.create_task(app({"type": "lifespan"}, incoming.get, send))
    try:
        yield app
    finally:
        if "lifespan.startup.complete" in sent:
            await incoming.put({"type": "lifespan.shutdown"})
            await asyncio.wait_for(life, SECONDS)
            assert sent[-1] == "lifespan.shutdown.complete"
        else:
            life.cancel()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)


@pytest.fixture
async def app(rig: Rig, stub: StubLlamaServer) -> AsyncIterator[Application]:
    async with living(rig, stub) as app:
        await until(lambda: rig.runtime.answering)
        stub.asked.clear()
        yield app


class Streaming:
    """A handler whose streams go on as the test lets them."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.begun = 0

    async def __call__(self, request: web.Request, body: Any) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        self.begun += 1
        await answer.write(b'data: {"choices":[{"text":"a"}]}\n\n')
        await self.go_on.wait()
        timings = b'"timings":{"cache_n":1,"prompt_n":2,"predicted_n":3}'
        await answer.write(b'data: {"choices":[{"finish_reason":"length"}],%b}\n\n' % timings)
        await answer.write(b"data: [DONE]\n\n")
        return answer


async def test_nobody_is_let_in_before_the_model_is_loaded(rig: Rig, stub: StubLlamaServer):
    stub.healthy = False
    async with living(rig, stub) as app:
        await asyncio.sleep(0.1)
        assert not rig.runtime.answering
        assert not rig.runtime.stats.initialized
        stub.healthy = True
        await until(lambda: rig.runtime.answering)
        assert rig.runtime.stats.pool_tokens == 2048
        assert rig.runtime.stats.pool_bytes == 2048 * 28_672
        assert stub.asked[0][1]["prompt"].startswith("1 2 3")  # the first question is our own
        assert (await ask(app)).status == 200


async def test_a_whole_answer_comes_back_with_our_headers_and_without_llama_servers(
    app: Application, stub: StubLlamaServer
):
    visit = await ask(app)
    assert visit.status == 200
    assert json.loads(visit.body)["choices"][0]["text"] == "x"
    assert visit.answered[b"content-length"] == str(len(visit.body)).encode()
    assert visit.answered[b"x-served-by"] == b"pod-a"
    assert b"server" not in visit.answered
    (path, body, headers) = stub.asked[0]
    assert (path, body["max_tokens"], body["cache_prompt"]) == ("/v1/completions", 4, True)
    assert "x-vllm-priority" not in {name.lower() for name in headers}


async def test_a_stream_comes_chunk_by_chunk(app: Application, stub: StubLlamaServer, rig: Rig):
    stub.handler = streaming = Streaming()
    visit = Visit(app, COMPLETION | {"stream": True}).begin()
    await until(lambda: b'"text":"a"' in visit.body)
    assert b"[DONE]" not in visit.body
    assert rig.runtime.flights.count == 1
    streaming.go_on.set()
    await visit.end()
    assert visit.answered[b"content-type"] == b"text/event-stream"
    assert visit.body.endswith(b"data: [DONE]\n\n")
    await until(lambda: rig.runtime.stats.finished == 2)  # with the first question's
    assert rig.runtime.flights.count == 0


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_hangs_up_on_llama_server(
    app: Application, stub: StubLlamaServer, rig: Rig, stream: bool
):
    async def never(request: web.Request, body: Any) -> web.StreamResponse:
        if stream:
            return await Streaming()(request, body)
        await asyncio.sleep(SECONDS)
        raise AssertionError

    stub.handler = never
    visit = Visit(app, COMPLETION | {"stream": stream}).begin()
    await until(lambda: len(stub.asked) == 1)
    visit.leave()
    await visit.end()
    await asyncio.wait_for(stub.hung_up.wait(), SECONDS)
    assert rig.runtime.flights.count == 0


async def test_beyond_its_slots_requests_wait_here_and_known_sessions_go_first(
    app: Application, stub: StubLlamaServer, rig: Rig
):
    stub.handler = streaming = Streaming()
    stub.slots = [busy(1, held=5, answer=1), busy(2, held=5, answer=1)]
    streams = [Visit(app, COMPLETION | {"stream": True}).begin() for _ in range(2)]
    await until(lambda: streaming.begun == 2)
    newcomer = Visit(app, COMPLETION | {"prompt": "newcomer"}).begin()
    await until(lambda: rig.runtime.stats.reading and rig.runtime.stats.reading.waiting == 1)
    known = Visit(app, COMPLETION | {"prompt": "known"})
    key = rig.runtime.ticket_key(rig.clock.now)
    ticket = issue_ticket(key, b"s" * 16, None, rig.clock.unix() + 900)
    known.headers.append((b"x-session-ticket", ticket))
    known.begin()
    await until(lambda: rig.runtime.flights.count == 4)
    assert rig.runtime.load().queue_length == 2
    streams[0].leave()
    await until(lambda: len(stub.asked) >= 3)
    assert stub.asked[2][1]["prompt"] == "known"
    streaming.go_on.set()
    await asyncio.gather(*(one.end() for one in (*streams, newcomer, known)))
    assert {newcomer.status, known.status} == {200}


async def test_a_client_that_leaves_while_it_waits_never_gets_to_llama_server(
    app: Application, stub: StubLlamaServer, rig: Rig
):
    stub.handler = streaming = Streaming()
    streams = [Visit(app, COMPLETION | {"stream": True}).begin() for _ in range(2)]
    await until(lambda: streaming.begun == 2)
    waiting = Visit(app, COMPLETION).begin()
    await until(lambda: rig.runtime.flights.count == 3)
    waiting.leave()
    await waiting.end()
    streaming.go_on.set()
    await asyncio.gather(*(one.end() for one in streams))
    assert len(stub.asked) == 2


async def test_nobody_shares_a_slots_memory_once_a_profile_isolates(
    app: Application, stub: StubLlamaServer, rig: Rig
):
    web_profile = Profile("web", ProfileKind.WEB_UI)
    app_profile = Profile("app", ProfileKind.APP, "Be brief.", isolation=Isolation.SESSION)
    for profiles, shared in (((web_profile,), True), ((web_profile, app_profile), False)):
        policy = make_policy(profiles=profiles)
        rig.runtime.fleet.accept(policy, make_lease(), rig.clock.now)
        await ask(app)
        assert stub.asked[-1][1]["cache_prompt"] is shared


async def test_llama_servers_own_refusal_is_told_in_openais_shape(
    app: Application, stub: StubLlamaServer
):
    async def refuse(request: web.Request, body: Any) -> web.StreamResponse:
        error = {"code": 400, "message": "too long", "type": "exceed_context_size_error"}
        return web.json_response({"error": error}, status=400)

    stub.handler = refuse
    visit = await ask(app, COMPLETION | {"stream": True})
    assert visit.status == 400
    assert visit.error == {
        "message": "too long",
        "type": "invalid_request_error",
        "param": None,
        "code": "exceed_context_size_error",
    }
    assert b"x-session-ticket" not in visit.answered


async def test_what_llama_server_would_pass_over_is_refused_here(
    app: Application, stub: StubLlamaServer
):
    visit = await ask(app, COMPLETION | {"min_tokens": 2})
    assert (visit.status, visit.error["param"]) == (400, "min_tokens")
    assert stub.asked == []


async def test_an_answer_that_breaks_off_does_not_look_whole(
    app: Application, stub: StubLlamaServer, rig: Rig
):
    async def break_off(request: web.Request, body: Any) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b"data: {}\n\n")
        assert request.transport is not None
        request.transport.abort()
        return answer

    stub.handler = break_off
    visit = Visit(app, COMPLETION | {"stream": True}).begin()
    with pytest.raises(Exception, match=r"payload|[Dd]isconnected|not completed"):
        await visit.end()
    assert visit.messages[-1]["more_body"]
    assert rig.runtime.flights.count == 0


async def test_where_llama_server_is_gone_nobody_is_let_in_until_it_is_back(
    app: Application, stub: StubLlamaServer, rig: Rig
):
    await stub.stop()
    first = await ask(app)
    assert first.status in (429, 503)
    assert b"retry-after" in first.answered
    await until(lambda: not rig.runtime.answering)
    visit = await ask(app)
    assert (visit.status, visit.answered[b"x-rejected-reason"]) == (503, b"not_ready")
    assert rig.runtime.load().running is None
    rig.runtime.weights = find_weights(rig.runtime.settings, {})
    assert rig.runtime.phase(rig.clock.now) == "StartingEngine"
    await stub.start()
    await until(lambda: rig.runtime.answering)
    assert (await ask(app)).status == 200


async def test_a_reading_that_fails_makes_load_unknown_and_is_counted(
    app: Application, stub: StubLlamaServer, rig: Rig
):
    await until(lambda: rig.runtime.load().running == 0)
    stub.slots = [{"is_processing": True}]
    await until(lambda: rig.runtime.load().running is None)
    assert rig.runtime.errors.counts() == {"engine_stats": ANY}
    assert rig.runtime.answering  # its answers go on
    stub.slots = [busy(1, held=512)]
    await until(lambda: rig.runtime.load().running == 1)


async def test_the_backlog_of_prompts_is_known_as_vllms_is(app: Application, rig: Rig):
    assert rig.runtime.prompt_backlog() == 0


@pytest.mark.parametrize("path", ["/v1/models", "/health"])
async def test_paths_that_generate_nothing_are_passed_on(app: Application, path: str):
    visit = Visit(app, None, path=path)
    visit.method = "GET"
    assert (await visit.begin().end()).status == 200


@pytest.fixture
def broken_file(rig: Rig) -> None:
    Path(rig.runtime.settings.model).write_bytes(b"GGUF")


@pytest.mark.usefixtures("broken_file")
async def test_of_a_file_that_is_broken_the_pools_bytes_are_unknown(
    stub: StubLlamaServer, rig: Rig
):
    async with living(rig, stub):
        await until(lambda: rig.runtime.answering)
        assert (rig.runtime.stats.pool_tokens, rig.runtime.stats.pool_bytes) == (2048, None)
        assert rig.runtime.errors.counts() == {"engine_stats": 1}
