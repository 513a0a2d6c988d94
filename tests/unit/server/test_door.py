"""Sessions and commitments through the whole middleware: who is known again, and for how long."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from vibethinker_server import door as door_module
from vibethinker_server.api_keys import ApiKeys
from vibethinker_server.engine_stats import EngineStats
from vibethinker_server.line import Line
from vibethinker_server.load import EngineReading
from vibethinker_server.policy import Growth, OverloadPolicy, SessionLimits
from vibethinker_server.profiles import Isolation, Profile, ProfileKind

from tests.support.front_door import CHAT, FrontDoor, refuse_newcomers
from tests.support.server_runtime import Rig, make_lease, make_policy, make_rig

ANSWER = "4, if both are two."
FOLLOW_UP = [
    *CHAT["messages"],
    {"role": "assistant", "content": ANSWER},
    {"role": "user", "content": "and their product?"},
]


async def answer_whole(request: Request) -> Response:
    return JSONResponse({"choices": [{"message": {"content": ANSWER}}]})


async def answer_in_pieces(request: Request) -> Response:
    async def events() -> AsyncIterator[bytes]:
        for piece in (ANSWER[:5], ANSWER[5:]):
            choice = {"index": 0, "delta": {"content": piece}}
            yield b"data: " + json.dumps({"choices": [choice]}, separators=(",", ":")).encode()
            yield b"\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    made = make_rig(tmp_path)
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("school", "club"):
        (keys / name).write_text(f"key of {name}")
    made.runtime.api_keys = ApiKeys(keys)
    return made


@pytest.fixture
def door(rig: Rig) -> FrontDoor:
    return FrontDoor(rig, answer_whole)


async def say(
    door: FrontDoor, key: str = "school", headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    sent = {"Authorization": f"Bearer key of {key}", **(headers or {})}
    return await door.client.post("/v1/chat/completions", json=CHAT | body, headers=sent)


def limit(rig: Rig, **limits: Any) -> None:
    """Refuses newcomers from now on, with these limits of sessions."""
    refuse_newcomers(rig)
    policy = make_policy(OverloadPolicy.REJECT, sessions=SessionLimits(**limits))
    rig.runtime.fleet.accept(policy, make_lease(ttl_seconds=1e9), rig.clock.now)


@pytest.mark.parametrize("endpoint", [answer_whole, answer_in_pieces])
async def test_a_client_that_keeps_nothing_is_known_by_its_conversation(rig: Rig, endpoint: Any):
    door = FrontDoor(rig, endpoint)
    streams = endpoint is answer_in_pieces
    assert (await say(door, stream=streams)).status_code == 200
    refuse_newcomers(rig)
    assert (await say(door, messages=FOLLOW_UP)).status_code == 200
    assert (await say(door)).status_code == 429  # the same first question, asked anew
    assert (await say(door, "club", messages=FOLLOW_UP)).status_code == 429
    assert [seen.headers["x-vllm-priority"] for seen in door.seen] == ["10", "0"]
    assert rig.runtime.sessions.count == 1


async def test_a_conversation_whose_first_answer_was_stopped_goes_on(rig: Rig):
    async def stop_midway(request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            choice = {"index": 0, "delta": {"content": ANSWER}}
            yield b"data: " + json.dumps({"choices": [choice]}, separators=(",", ":")).encode()
            raise OSError("the client is gone")

        return StreamingResponse(events(), media_type="text/event-stream")

    with pytest.raises(OSError, match="gone"):
        await say(FrontDoor(rig, stop_midway), stream=True)
    refuse_newcomers(rig)
    assert (await say(FrontDoor(rig, answer_whole), messages=FOLLOW_UP)).status_code == 200


async def test_words_that_nobody_was_answered_are_no_session(door: FrontDoor):
    refuse_newcomers(door.rig)
    assert (await say(door, messages=FOLLOW_UP)).status_code == 429


async def test_a_conversation_that_comes_from_elsewhere_is_known_from_its_first_turn_here(
    door: FrontDoor,
):
    assert (await say(door, messages=FOLLOW_UP)).status_code == 200
    refuse_newcomers(door.rig)
    assert (await say(door, messages=FOLLOW_UP)).status_code == 200


async def test_a_session_id_is_known_once_a_request_under_it_was_answered(door: FrontDoor):
    chat = {"X-Session-ID": "chat-7"}
    assert (await say(door, headers=chat)).status_code == 200
    refuse_newcomers(door.rig)
    assert (await say(door, headers=chat)).status_code == 200
    assert (await say(door, headers={"X-Session-ID": "chat-8"})).status_code == 429
    assert (await say(door, "club", headers=chat)).status_code == 429


async def test_another_keys_ticket_is_a_newcomers(door: FrontDoor):
    ticket = {"X-Session-Ticket": (await say(door)).headers["x-session-ticket"]}
    refuse_newcomers(door.rig)
    assert (await say(door, "club", headers=ticket)).status_code == 429
    assert (await say(door, headers=ticket)).status_code == 200


async def test_a_session_is_known_for_as_long_as_the_policy_says(door: FrontDoor):
    limit(door.rig, ttl_seconds=60.0)
    door.rig.runtime.line = Line()
    chat = {"X-Session-ID": "chat-7"}
    await say(door, headers=chat)
    refuse_newcomers(door.rig)
    door.rig.clock.advance(59)
    assert (await say(door, headers=chat)).status_code == 200
    door.rig.clock.advance(901)
    assert (await say(door, headers=chat)).status_code == 429


async def test_what_peers_let_in_is_known_here(door: FrontDoor):
    chat = {"X-Session-ID": "chat-7"}
    await say(door, headers=chat)
    rig = door.rig
    _, told = rig.runtime.sessions.journal.after(0)
    rig.runtime.sessions.forget_expired(1e12)
    refuse_newcomers(rig)
    assert (await say(door, headers=chat)).status_code == 429
    rig.runtime.peer_sessions.merge(told, rig.clock.unix())
    assert (await say(door, headers=chat)).status_code == 200


async def test_a_request_that_the_engine_refuses_makes_nobody_known(rig: Rig):
    async def refuse(request: Request) -> Response:
        return JSONResponse({"error": {}}, status_code=400)

    door = FrontDoor(rig, refuse)
    chat = {"X-Session-ID": "chat-7"}
    answer = await say(door, headers=chat)
    assert "x-session-ticket" not in answer.headers
    assert rig.runtime.sessions.count == 0
    refuse_newcomers(rig)
    assert (await say(door, headers=chat)).status_code == 429


async def test_of_a_thousand_requests_with_one_ticket_its_limit_gets_in(rig: Rig):
    enough, inside = asyncio.Event(), 0

    async def wait(request: Request) -> Response:
        nonlocal inside
        inside += 1
        await enough.wait()
        return JSONResponse({})

    door = FrontDoor(rig, answer_whole)
    ticket = {"X-Session-Ticket": (await say(door)).headers["x-session-ticket"]}
    limit(rig, max_concurrent_requests=4)
    door = FrontDoor(rig, wait)
    crowd = [asyncio.create_task(say(door, headers=ticket)) for _ in range(1_000)]
    await asyncio.wait(crowd, return_when=asyncio.FIRST_COMPLETED)
    enough.set()
    answers = await asyncio.gather(*crowd)
    assert inside == 4
    assert [answer.status_code for answer in answers].count(200) == 4
    assert (await say(door, headers=ticket)).status_code == 200  # all seats are back


async def test_a_key_has_as_many_known_sessions_as_it_may(door: FrontDoor):
    rig = door.rig
    limit(rig, max_known_per_key=2)
    rig.runtime.line = Line()
    answers = [await say(door, headers={"X-Session-ID": f"chat-{n}"}) for n in range(3)]
    assert ["x-session-ticket" in answer.headers for answer in answers] == [True, True, False]
    elsewhere = await say(door, "club")
    assert "x-session-ticket" in elsewhere.headers
    limit(rig, max_known_per_key=2)
    again = [await say(door, headers={"X-Session-ID": f"chat-{n}"}) for n in range(3)]
    assert [answer.status_code for answer in again] == [200, 200, 429]


async def test_a_session_beyond_its_share_of_the_pool_is_a_newcomer(rig: Rig):
    rig.runtime.stats.pool_tokens = 4_000
    enough = asyncio.Event()

    async def wait(request: Request) -> Response:
        await enough.wait()
        return JSONResponse({})

    door = FrontDoor(rig, answer_whole)
    ticket = {"X-Session-Ticket": (await say(door)).headers["x-session-ticket"]}
    refuse_newcomers(rig)
    door = FrontDoor(rig, wait)
    first = asyncio.create_task(say(door, headers=ticket))  # 768 tokens and its prompt
    while not door.seen:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert (await say(door, headers=ticket)).status_code == 429
    enough.set()
    assert (await first).status_code == 200


def salts_of(door: FrontDoor) -> list[str | None]:
    return [json.loads(body).get("cache_salt") for body in door.bodies]


@pytest.mark.parametrize(
    ("isolation", "different"), [(Isolation.NONE, 1), (Isolation.KEY, 2), (Isolation.SESSION, 3)]
)
async def test_the_engine_caches_by_isolation(
    door: FrontDoor, isolation: Isolation, different: int
):
    profile = Profile("app", ProfileKind.APP, "Be brief.", isolation=isolation)
    policy = make_policy(profiles=(profile,))
    door.rig.runtime.fleet.accept(policy, make_lease(), door.rig.clock.now)
    ticket = {"X-Session-Ticket": (await say(door)).headers["x-session-ticket"]}
    await say(door, headers=ticket)
    await say(door)
    await say(door, "club")
    salts = salts_of(door)
    assert salts[0] == salts[1]
    assert len(set(salts)) == different
    assert (salts[0] is None) == (isolation is Isolation.NONE)


async def test_a_conversation_keeps_its_salt_without_a_ticket(door: FrontDoor):
    profile = Profile("app", ProfileKind.APP, "Be brief.", isolation=Isolation.SESSION)
    policy = make_policy(profiles=(profile,))
    door.rig.runtime.fleet.accept(policy, make_lease(), door.rig.clock.now)
    await say(door)
    await say(door, messages=FOLLOW_UP)
    assert len(set(salts_of(door))) == 1


async def test_a_client_cannot_choose_its_salt(door: FrontDoor):
    answer = await say(door, cache_salt="a")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "cache_salt")


async def test_newcomers_that_do_not_fit_are_refused_while_nothing_can_grow(rig: Rig):
    rig.runtime.stats.pool_tokens = 2_000
    rig.runtime.stats.reading = EngineReading(running=1, waiting=0, kv_usage_ratio=0.7)
    rig.runtime.fleet.accept(make_policy(), make_lease(Growth.CANNOT_GROW), rig.clock.now)
    enough = asyncio.Event()

    async def wait(request: Request) -> Response:
        await enough.wait()
        return JSONResponse({})

    door = FrontDoor(rig, wait)
    first = asyncio.create_task(say(door))
    while not door.seen:  # noqa: ASYNC110
        await asyncio.sleep(0)
    refused = await say(door)
    assert (refused.status_code, refused.headers["x-rejected-reason"]) == (429, "kv_headroom")
    rig.runtime.fleet.accept(None, make_lease(Growth.CAN_GROW), rig.clock.now)
    second = asyncio.create_task(say(door))
    enough.set()
    assert [(await first).status_code, (await second).status_code] == [200, 200]
    assert rig.runtime.flights.committed_tokens == 0


def teach(stats: EngineStats, tokens_per_second: int) -> None:
    for second in range(3):
        stats.prompt_rate.add_step(float(second), tokens_per_second, 1)


async def test_newcomers_whose_first_word_would_come_too_late_are_refused(door: FrontDoor):
    rig = door.rig
    rig.runtime.fleet.accept(make_policy(), make_lease(Growth.CANNOT_GROW), rig.clock.now)
    teach(rig.runtime.stats, 300)
    rig.runtime.backlog = lambda: 840  # at 450 a second, 1.6 times over
    assert (await say(door)).status_code == 200
    rig.runtime.backlog = lambda: 850
    refused = await say(door)
    assert refused.headers["x-rejected-reason"] == "time_to_first_token"
    assert 1 <= int(refused.headers["retry-after"]) <= 60


async def test_newcomers_wait_for_known_sessions_that_come_meanwhile(door: FrontDoor):
    rig = door.rig
    rig.runtime.fleet.accept(make_policy(), make_lease(Growth.CANNOT_GROW), rig.clock.now)
    teach(rig.runtime.stats, 300)
    rig.runtime.backlog = lambda: 800
    rig.runtime.stats.count_finished(60, rig.clock.now)
    assert (await say(door)).status_code == 200
    for _ in range(30):
        rig.runtime.known_let_in.add(1, rig.clock.now)
    assert (await say(door)).status_code == 429


async def test_an_error_in_the_notes_of_a_session_costs_a_ticket_and_no_answer(
    door: FrontDoor, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: Any) -> Any:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(door_module, "issue_ticket", fail)
    answer = await say(door)
    assert answer.status_code == 200
    assert "x-session-ticket" not in answer.headers
    assert door.rig.runtime.errors.counts() == {"request": 1}
