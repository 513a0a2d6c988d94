import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from vibethinker_server import door as door_module
from vibethinker_server import middleware as middleware_module
from vibethinker_server import names
from vibethinker_server.known_models import VIBETHINKER_3B
from vibethinker_server.line import Line
from vibethinker_server.load import EngineReading
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.policy import Growth, OverloadPolicy

from tests.support.front_door import CHAT, Endpoint, FrontDoor, refuse_newcomers
from tests.support.server_runtime import Rig, make_lease, make_policy, make_rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path)


@pytest.fixture
def door(rig: Rig) -> FrontDoor:
    return FrontDoor(rig)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return dict(error)


async def test_an_answer_names_the_pod_and_gives_a_ticket(door: FrontDoor):
    answer = await door.chat()
    assert answer.status_code == 200
    assert answer.headers["x-served-by"] == "pod-a"
    assert "x-session-ticket" in answer.headers
    assert "connection" not in answer.headers


async def test_the_engine_sees_our_body_our_length_and_one_priority(door: FrontDoor):
    sent = b'{"prompt": "a", "prompt": "b"}'
    headers = [
        ("Content-Type", "application/json"),
        ("X-Vllm-Priority", "-9"),
        ("x-vllm-priority", "-8"),
    ]
    await door.client.post("/v1/completions", content=sent, headers=headers)
    (request,) = door.seen
    assert json.loads(door.bodies[0])["prompt"] == "b"
    assert request.headers["content-length"] == str(len(door.bodies[0]))
    assert request.headers.getlist("x-vllm-priority") == ["10"]


async def test_a_request_that_says_nothing_of_sampling_gets_the_known_models_own(door: FrontDoor):
    await door.chat()
    door.rig.runtime.model = VIBETHINKER_3B
    await door.chat()
    await door.chat(temperature=0)
    temperatures = [json.loads(body).get("temperature") for body in door.bodies]
    assert temperatures == [None, 1.0, 0]


async def test_a_known_session_goes_first_and_its_ticket_is_renewed(door: FrontDoor):
    first = await door.chat()
    door.rig.clock.advance(800)
    second = await door.chat(first.headers["x-session-ticket"])
    door.rig.clock.advance(800)
    third = await door.chat(second.headers["x-session-ticket"])
    assert third.status_code == 200
    assert [one.headers["x-vllm-priority"] for one in door.seen] == ["10", "0", "0"]
    assert door.rig.runtime.sessions.count == 1


async def test_known_sessions_are_served_where_newcomers_are_refused(door: FrontDoor):
    ticket = (await door.chat()).headers["x-session-ticket"]
    refuse_newcomers(door.rig)
    refused, served = await door.chat(), await door.chat(ticket)
    assert refused.status_code == 429
    assert refused.headers["x-rejected-reason"] == "memory_line"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["connection"] == "close"
    assert refused.headers["x-served-by"] == "pod-a"
    assert error_of(refused)["type"] == "rate_limit_error"
    assert served.status_code == 200
    assert "connection" not in served.headers  # a saturated pod keeps who it knows
    assert door.rig.runtime.rejected.counts()["memory_line"] == 1


async def test_a_refused_request_gets_no_ticket_and_never_reaches_the_engine(door: FrontDoor):
    refuse_newcomers(door.rig)
    answer = await door.chat()
    assert "x-session-ticket" not in answer.headers
    assert door.seen == []
    assert door.rig.runtime.flights.count == 0


@pytest.mark.parametrize("ticket", ["forged", "A" * 76, "ü".encode("latin-1").decode("latin-1")])
async def test_a_forged_ticket_is_a_newcomers(door: FrontDoor, ticket: str):
    refuse_newcomers(door.rig)
    headers = {b"x-session-ticket": ticket.encode("latin-1")}
    answer = await door.client.post("/v1/chat/completions", json=CHAT, headers=headers)
    assert answer.status_code == 429


async def test_two_tickets_prove_nothing(door: FrontDoor):
    ticket = (await door.chat()).headers["x-session-ticket"]
    refuse_newcomers(door.rig)
    headers = [("x-session-ticket", ticket), ("x-session-ticket", ticket)]
    answer = await door.client.post("/v1/chat/completions", json=CHAT, headers=headers)
    assert answer.status_code == 429


async def test_an_expired_ticket_is_a_newcomers(door: FrontDoor):
    ticket = (await door.chat()).headers["x-session-ticket"]
    door.rig.clock.advance(901)
    refuse_newcomers(door.rig)
    assert (await door.chat(ticket)).status_code == 429


async def test_where_refusing_is_not_ours_it_is_counted_and_not_done(door: FrontDoor):
    door.rig.runtime.line = Line(crossed=True, above_since=0.0)
    door.rig.runtime.fleet.accept(make_policy(), make_lease(Growth.NOT_OURS), door.rig.clock.now)
    assert (await door.chat()).status_code == 200
    assert door.rig.runtime.would_reject.counts()["memory_line"] == 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 404),
        ("POST", "/-/drain", 404),
        ("POST", "/invocations", 404),
        ("POST", "/tokenize", 404),
        ("POST", "/v1/chat/completions/", 404),
        ("POST", "//v1/chat/completions", 404),
        ("POST", "/v1/../v1/chat/completions", 404),
        ("POST", "/v1/chat/completions/batch", 404),
        ("GET", "/v1/chat/completions", 405),
        ("OPTIONS", "/v1/chat/completions", 405),
        ("TRACE", "/health", 405),
        ("POST", "/health", 405),
        ("DELETE", "/v1/models", 405),
    ],
)
async def test_every_other_path_and_method_is_closed(
    door: FrontDoor, method: str, path: str, status: int
):
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "http_version": "1.1"}
    await door.app(scope, receive, send)
    assert sent[0]["status"] == status
    assert set(json.loads(sent[1]["body"])["error"]) == {"message", "type", "param", "code"}
    assert door.seen == []


@pytest.mark.parametrize("path", ["/v1/models", "/health"])
async def test_open_paths_pass_even_while_nobody_is_let_in(door: FrontDoor, path: str):
    door.rig.runtime.answering = False
    answer = await door.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["x-served-by"] == "pod-a"


async def test_a_websocket_is_closed(door: FrontDoor):
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await door.app({"type": "websocket", "path": "/v1/realtime"}, None, send)  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b"{", {}, 400),
        (b"{}", {"content-encoding": "gzip"}, 415),
        (b" " * (2**20 + 1), {}, 413),
    ],
)
async def test_a_body_that_is_none_is_answered_in_openais_shape(
    door: FrontDoor, body: bytes, headers: dict[str, str], status: int
):
    headers = {"content-type": "application/json", **headers}
    answer = await door.client.post("/v1/completions", content=body, headers=headers)
    assert answer.status_code == status
    assert error_of(answer)["type"] == "invalid_request_error"
    assert ("connection" in answer.headers) == (status != 400)
    assert door.seen == []


async def test_before_the_engine_answers_nobody_is_let_in(door: FrontDoor):
    door.rig.runtime.answering = False
    answer = await door.chat()
    assert (answer.status_code, answer.headers["x-rejected-reason"]) == (503, "not_ready")
    assert answer.headers["connection"] == "close"
    assert error_of(answer)["type"] == "server_error"


async def test_a_crowd_at_the_edge_is_let_in_up_to_seats_and_queue_and_no_further(tmp_path: Path):
    release = asyncio.Event()

    async def hold(request: Request) -> Response:
        await release.wait()
        return JSONResponse({})

    rig = make_rig(tmp_path, make_policy(max_queued_requests=5), maxNumSeqs=4)
    door = FrontDoor(rig, hold)
    crowd = [asyncio.create_task(door.chat()) for _ in range(500)]
    while len(door.seen) + rig.runtime.rejected.counts()["queue_full"] < 500:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert rig.runtime.flights.count == len(door.seen) == 9  # 4 seats and 5 in the queue
    release.set()
    statuses = [answer.status_code for answer in await asyncio.gather(*crowd)]
    assert sorted(statuses) == [200] * 9 + [429] * 491
    assert rig.runtime.flights.count == 0


async def test_an_unknown_load_still_serves_within_the_bounded_queue(tmp_path: Path):
    rig = make_rig(
        tmp_path, make_policy(OverloadPolicy.REJECT, max_queued_requests=1), maxNumSeqs=2
    )
    rig.runtime.stats.reading = None
    rig.runtime.line = Line(crossed=True, above_since=0.0)
    door = FrontDoor(rig)
    assert (await door.chat()).status_code == 200
    rig.runtime.flights.count = 3
    answer = await door.chat()
    assert (answer.status_code, answer.headers["x-rejected-reason"]) == (429, "queue_full")


@pytest.mark.parametrize("raised", [RuntimeError, OSError, KeyError])
async def test_an_error_in_admission_lets_in_and_is_counted(
    door: FrontDoor, monkeypatch: pytest.MonkeyPatch, raised: type[Exception]
):
    def fail(*_: Any) -> Any:
        raise raised("on purpose")

    monkeypatch.setattr(door_module, "admit", fail)
    answer = await door.chat()
    assert answer.status_code == 200
    assert door.seen[0].headers["x-vllm-priority"] == "10"
    assert door.rig.runtime.errors.counts() == {names.WHERE_REQUEST: 1}
    assert door.rig.runtime.flights.count == 0


async def test_a_body_that_cannot_be_judged_is_refused_and_counted(
    door: FrontDoor, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: Any) -> Any:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(middleware_module, "parse_request", fail)
    answer = await door.chat()
    assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_body")
    assert door.seen == []
    assert door.rig.runtime.errors.counts() == {names.WHERE_REQUEST: 1}


async def test_vllms_own_503_becomes_429_with_a_time_to_come_back(rig: Rig):
    async def overflow(request: Request) -> Response:
        return JSONResponse({"error": "queue"}, status_code=503)

    answer = await FrontDoor(rig, overflow).chat()
    assert (answer.status_code, answer.headers["x-rejected-reason"]) == (429, "queue_full")
    assert int(answer.headers["retry-after"]) >= 1
    assert error_of(answer)["code"] == "queue_full"
    assert "x-session-ticket" not in answer.headers


@pytest.mark.parametrize("raises", [True, False])
async def test_vllms_500_while_it_shuts_down_becomes_503(rig: Rig, raises: bool):
    async def shut_down(request: Request) -> Response:
        if raises:
            raise RuntimeError("cannot schedule new futures after shutdown")
        return JSONResponse({"error": {}}, status_code=500)

    door = FrontDoor(rig, shut_down)
    rig.runtime.fleet.mark_drain(rig.clock.now)
    answer = await door.chat()
    assert (answer.status_code, answer.headers["x-rejected-reason"]) == (503, "draining")
    assert rig.runtime.flights.count == 0


async def test_a_500_of_a_pod_that_does_not_drain_stays_what_it_is(rig: Rig):
    async def fail(request: Request) -> Response:
        return JSONResponse({"error": {"message": "engine"}}, status_code=500)

    answer = await FrontDoor(rig, fail).chat()
    assert (answer.status_code, answer.json()) == (500, {"error": {"message": "engine"}})


async def test_the_applications_exception_reaches_vllms_handlers_and_frees_the_seat(rig: Rig):
    async def fail(request: Request) -> Response:
        raise ValueError("for vLLM's own handler")

    with pytest.raises(ValueError, match="own handler"):
        await FrontDoor(rig, fail).chat()
    assert rig.runtime.flights.count == 0


async def test_a_drain_in_time(door: FrontDoor):
    fleet, clock = door.rig.runtime.fleet, door.rig.clock
    ticket = (await door.chat()).headers["x-session-ticket"]
    fleet.mark_drain(clock.now)
    clock.advance(9)
    in_grace = await door.chat()
    assert (in_grace.status_code, in_grace.headers["connection"]) == (200, "close")
    health = await door.client.get("/health")
    assert (health.status_code, health.headers["connection"]) == (200, "close")
    clock.advance(2)
    for answer in (await door.chat(), await door.chat(ticket)):
        assert (answer.status_code, answer.headers["x-rejected-reason"]) == (503, "draining")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    fleet.undo_drain()
    back = await door.chat(ticket)
    assert back.status_code == 200
    assert "connection" not in back.headers


async def test_after_the_fleet_grew_every_answer_moves_its_connection(door: FrontDoor):
    lease = make_lease(move_connections=True)
    door.rig.runtime.fleet.accept(make_policy(), lease, door.rig.clock.now)
    for answer in (await door.chat(), await door.client.get("/v1/models")):
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    door.rig.clock.advance(11)
    assert "connection" not in (await door.chat()).headers


async def test_no_connection_serves_longer_than_two_minutes(door: FrontDoor):
    closes = []
    for _ in range(8):
        closes.append("connection" in (await door.chat()).headers)
        door.rig.clock.advance(30)
    assert closes == [False, False, False, False, True, False, False, False]


CUT = b'data: {"choices":[{"finish_reason":"length"}]}\n\n'
ENDED = b'data: {"choices":[{"finish_reason":"stop"}]}\n\n'
SPOKEN = b'data: {"choices":[{"delta":{"content":"\\"finish_reason\\":\\"length\\""}}]}\n\n'
STORED = b'{"incomplete_details":{"reason":"max_output_tokens"}}'


@pytest.mark.parametrize(
    ("chunks", "asked", "cut"),
    [
        pytest.param([b"data: {}\n\n", CUT], {}, 1, id="cut by the cap"),
        pytest.param([CUT, CUT], {"n": 2}, 1, id="two answers of one request"),
        pytest.param([STORED], {}, 1, id="a response"),
        pytest.param([CUT], {"max_tokens": 5}, 0, id="cut where the client asked"),
        pytest.param([ENDED], {}, 0, id="ended by itself"),
        pytest.param([SPOKEN], {}, 0, id="a model that speaks of being cut"),
    ],
)
async def test_answers_that_a_cap_cut_are_counted_by_task(
    rig: Rig, chunks: list[bytes], asked: dict[str, Any], cut: int
):
    door = FrontDoor(rig, stream_of(chunks, rig.clock))
    answer = await door.chat(task="qa", **asked)
    assert answer.headers["x-task"] == "qa"
    assert rig.runtime.truncated.counts() == ({"qa": cut} if cut else {})


async def test_a_cap_beyond_the_engines_own_is_shown_as_what_the_engine_gives(
    door: FrontDoor,
):
    policy = make_policy(token_limits={"code": 4000})
    door.rig.runtime.fleet.accept(policy, make_lease(), door.rig.clock.now)
    assert (await door.chat()).headers["x-token-limit"] == "768"


def stream_of(chunks: list[bytes], clock: Any) -> Endpoint:
    async def events() -> AsyncIterator[bytes]:
        for chunk in chunks:
            clock.advance(0.4)
            yield chunk

    async def answer(request: Request) -> Response:
        return StreamingResponse(events(), media_type="text/event-stream")

    return answer


def ttft(rig: Rig) -> tuple[float, float]:
    registry = rig.runtime.registry
    labels = {"profile": "webui", "task": "code"}
    name = "vibethinker_time_to_first_token_seconds"
    total = registry.get_sample_value(f"{name}_sum", labels)
    count = registry.get_sample_value(f"{name}_count", labels)
    assert total is not None
    assert count is not None
    return total, count


async def test_the_first_chunk_of_a_stream_is_timed_and_every_chunk_passes(rig: Rig):
    door = FrontDoor(rig, stream_of([b"data: 1\n\n", b"data: 2\n\n"], rig.clock))
    answer = await door.chat(stream=True)
    assert answer.content == b"data: 1\n\ndata: 2\n\n"
    assert ttft(rig) == pytest.approx((0.4, 1))


async def test_an_answer_that_is_no_stream_has_no_first_token(door: FrontDoor):
    await door.chat()
    series = "vibethinker_time_to_first_token_seconds_count"
    labels = {"profile": "webui", "task": "code"}
    assert door.rig.runtime.registry.get_sample_value(series, labels) is None


async def test_the_engines_report_frees_the_door_for_more(tmp_path: Path):
    rig = make_rig(tmp_path, make_policy(max_queued_requests=0), maxNumSeqs=2)
    door = FrontDoor(rig)
    rig.runtime.flights.count = 2
    assert (await door.chat()).status_code == 429
    rig.runtime.flights.count = 1
    rig.runtime.stats.reading = EngineReading(running=1, waiting=0, kv_usage_ratio=0.1)
    assert (await door.chat()).status_code == 200


def test_vllm_constructs_it_with_the_application_alone(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(middleware_module, "installed", lambda: rig.runtime)
    app = SimpleNamespace()
    assert VibeThinkerMiddleware(app)  # type: ignore[arg-type]
