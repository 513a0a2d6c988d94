"""Many users behind one object of OpenAI's own client, as a web application has it."""

import asyncio
import json
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from vibethinker_server.profiles import Isolation, Profile, ProfileKind

from tests.support.front_door import FrontDoor, refuse_newcomers
from tests.support.server_runtime import make_lease, make_policy, make_rig

USERS = 50


async def answer(request: Request) -> Response:
    asked = (await request.json())["messages"][-1]["content"]
    message = {"role": "assistant", "content": f"You asked: {asked}"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({"id": "1", "object": "chat.completion", "choices": [choice]})


async def test_fifty_users_behind_one_client_are_fifty_sessions_with_fifty_salts(tmp_path: Path):
    rig = make_rig(tmp_path)
    profile = Profile("app", ProfileKind.APP, "Be brief.", isolation=Isolation.SESSION)
    policy = make_policy(profiles=(profile,))
    rig.runtime.fleet.accept(policy, make_lease(), rig.clock.now)
    door = FrontDoor(rig, answer)
    # Its own kind of HTTP client would open a socket; this one asks in this process.
    inside: Any = door.client
    client = AsyncOpenAI(base_url="http://pod/v1", api_key="none-is-asked-for", http_client=inside)

    async def say(messages: list[dict[str, str]], words: str) -> list[dict[str, str]]:
        said = [*messages, {"role": "user", "content": words}]
        done = await client.chat.completions.create(
            model=rig.runtime.settings.served_name,
            messages=said,  # type: ignore[arg-type]
        )
        return [*said, {"role": "assistant", "content": done.choices[0].message.content or ""}]

    first = await asyncio.gather(*(say([], f"I am user {number}.") for number in range(USERS)))
    assert rig.runtime.sessions.count == USERS
    refuse_newcomers(rig)
    rig.runtime.fleet.accept(
        make_policy(rig.runtime.fleet.policy.overload, profiles=(profile,)),
        make_lease(ttl_seconds=1e9),
        rig.clock.now,
    )
    await asyncio.gather(*(say(talk, "Who am I?") for talk in first))
    assert rig.runtime.sessions.count == USERS
    salts: dict[str, set[str]] = {}
    for body in map(json.loads, door.bodies):
        user = body["messages"][1]["content"]
        salts.setdefault(user, set()).add(body["cache_salt"])
    assert len(salts) == USERS
    assert all(len(of_one) == 1 for of_one in salts.values())
    assert len({next(iter(of_one)) for of_one in salts.values()}) == USERS
