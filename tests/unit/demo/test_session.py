"""Sessions and crowds against a small server that refuses and admits as told."""

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.demo.chat import CHAT_PATH
from tests.demo.crowd import Crowd, spread_over
from tests.demo.rows import Request
from tests.demo.session import Ledger, Session
from tests.demo.settings import CHATTING, LOAD


class Door:
    """Refuses new sessions while shut; knows those that carry a ticket."""

    def __init__(self) -> None:
        self.shut = False
        self.failing = 0
        self.pod = "pod-1"
        self.connections: set[object] = set()
        self.bodies: list[dict[str, object]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.connections.add(request.transport)
        if self.failing:
            self.failing -= 1
            return web.Response(status=503, headers={"Retry-After": "0"})
        if self.shut and "X-Session-Ticket" not in request.headers:
            return web.Response(status=429, headers={"Retry-After": "0"})
        event = {"choices": [{"delta": {"content": "word"}, "finish_reason": "length"}]}
        return web.Response(
            text=f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n",
            headers={"X-Session-Ticket": "t", "X-Served-By": self.pod},
        )


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    app = web.Application()
    app.router.add_post(CHAT_PATH, door.answer)
    server = TestServer(app)
    await server.start_server()
    door.url = str(server.make_url("/"))
    yield door
    await server.close()


def make_ledger(rows: list[Request]) -> Ledger:
    ticks = itertools.count()
    return Ledger(write=rows.append, clock=lambda: float(next(ticks)), phase=lambda: "fill")


def make_session(door: Door, rows: list[Request]) -> Session:
    return Session(number=1, url=door.url, model="m", style=CHATTING, ledger=make_ledger(rows))


async def test_a_turn_is_known_only_after_one_was_admitted(door: Door):
    rows: list[Request] = []
    session = make_session(door, rows)
    assert await session.take_turn(attempts=1)
    assert await session.take_turn(attempts=1)
    await session.close()
    assert [(row.turn, row.known, row.pod, row.status) for row in rows] == [
        (1, False, "pod-1", 200),
        (2, True, "pod-1", 200),
    ]


async def test_who_stays_keeps_a_connection_until_another_pod_answers(door: Door):
    session = make_session(door, [])
    await session.take_turn(attempts=1)
    session.stay()
    await session.take_turn(attempts=1)
    assert len(door.connections) == 1
    door.pod = "pod-2"
    await session.take_turn(attempts=1)
    await session.take_turn(attempts=1)
    assert len(door.connections) == 2
    await session.close()


async def test_every_attempt_of_a_turn_is_a_row(door: Door):
    rows: list[Request] = []
    session = make_session(door, rows)
    door.failing = 1
    assert await session.take_turn(attempts=2)
    await session.close()
    assert [(row.turn, row.attempt, row.status) for row in rows] == [(1, 1, 503), (1, 2, 200)]


async def test_the_conversation_carries_what_was_said(door: Door):
    session = make_session(door, [])
    await session.take_turn(attempts=1)
    await session.take_turn(attempts=1)
    await session.close()
    roles = [[m["role"] for m in body["messages"]] for body in door.bodies]  # type: ignore[attr-defined]
    assert roles == [["user", "user"], ["user", "user", "assistant", "user"]]
    assert door.bodies[0]["messages"][0] == door.bodies[1]["messages"][0]  # type: ignore[index]


async def test_a_crowd_lets_members_talk_until_they_are_sent_home(door: Door):
    rows: list[Request] = []
    ledger = make_ledger(rows)
    crowd = Crowd(url=door.url, model="m", load=LOAD, ledger=ledger)
    await crowd.arrive().wait()
    while len(rows) < 3:
        await crowd.arrive().wait()
    await crowd.close()
    assert not crowd.members
    assert all(row.status == 200 for row in rows)


async def test_a_newcomer_gives_up_and_is_never_a_member(door: Door):
    rows: list[Request] = []
    door.shut = True
    load = replace(LOAD, newcomer_attempts=2)
    crowd = Crowd(url=door.url, model="m", load=load, ledger=make_ledger(rows))
    await crowd.arrive().wait()
    while len(rows) < 2:
        await crowd.arrive().wait()
    await crowd.close()
    assert {row.status for row in rows} == {429}
    assert all(row.turn == 1 and not row.known for row in rows)
    assert not crowd.members


def test_those_who_stay_are_spread_over_the_pods():
    rows: list[Request] = []
    ledger = make_ledger(rows)
    names = ["a", "b", "a", "a", "b", "c"]
    members = []
    for number, pod in enumerate(names):
        session = object.__new__(Session)
        session.name, session.pod = f"s{number}", pod
        members.append(session)
    assert ledger.rejected_total == 0
    assert [s.name for s in spread_over(members, ["a", "b"], 2)] == ["s0", "s2", "s1", "s4"]
