"""The first requests, before anybody may come in: the engine answers, and knows the presets.

A preset whose prefix is cached costs its first caller no computing. Under isolation Session no
cache is shared, so that there only the engine's kernels get warm.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from vibethinker_server import names
from vibethinker_server.generation import Terms, build_generation, salted
from vibethinker_server.profiles import Isolation, Profile
from vibethinker_server.request_body import Message, Receive, Send
from vibethinker_server.routes import Api
from vibethinker_server.runtime import Runtime
from vibethinker_server.session_identity import cache_salt

App = Callable[[Any, Receive, Send], Awaitable[None]]
Question = tuple[str, bytes]

RETRY_SECONDS = 1.0
OK = 200
# Under isolation Key each key has a cache of its own; of more keys than these the first are warm.
MAX_KEYS = 16
# More than four tokens of any tokenizer. Attention in vLLM 0.32 for processors with AMX does not
# ask the system for AMX; products of more than four rows do. With INT8 weights, whose smaller
# products go without it, a shorter first prompt ended the engine by an illegal instruction
# (measured).
FIRST_PROMPT = "1 2 3 4 5 6 7 8"

log = logging.getLogger(__name__)


async def ask_once(app: App, question: Question, application: Any) -> int | None:
    """Sends one request through `app` and returns the answer's status.

    Args:
        app: the ASGI application below our middleware.
        question: path and JSON body of the request.
        application: the outermost application, which vLLM's handlers find in the scope.
    """
    path, body = question
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": None,
        "server": None,
        "state": {},
        "app": application,
    }
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    statuses: list[int] = []

    async def receive() -> Message:
        if pending:
            return pending.pop()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0] if statuses else None


async def warm_up(runtime: Runtime, app: App, application: Any) -> None:
    """Asks until the engine answers, and the presets once; only then may anybody else."""
    while True:
        if await _is_answered(runtime, app, _first_question(runtime), application):
            break
        await asyncio.sleep(RETRY_SECONDS)
    try:
        for question in preset_questions(runtime):
            await _is_answered(runtime, app, question, application)
    except Exception:
        # A cold preset is slow once; a pod that never serves is worse.
        what = "the presets could not be warmed up"
        runtime.count_error(names.WHERE_REQUEST, log, what)
    runtime.answering = True


async def _is_answered(runtime: Runtime, app: App, question: Question, application: Any) -> bool:
    try:
        status = await ask_once(app, question, application)
    except Exception:
        runtime.count_error(names.WHERE_REQUEST, log, "the engine failed a first request")
        return False
    if status != OK:
        runtime.errors.add(names.WHERE_REQUEST)
        log.error("the engine answered a first request with status %s", status)
    return status == OK


def _first_question(runtime: Runtime) -> Question:
    body = {"model": runtime.settings.served_name, "prompt": FIRST_PROMPT, "max_tokens": 1}
    return names.PATH_COMPLETIONS, json.dumps(body).encode()


def preset_questions(runtime: Runtime) -> Iterator[Question]:
    """Yields a chat of one token for each preset, and each cache, that sessions share."""
    for profile in runtime.fleet.policy.profiles:
        if not profile.system_prompt or profile.isolation is Isolation.SESSION:
            continue
        secret = runtime.ticket_key(runtime.clock.monotonic())
        for key in _callers(runtime, profile):
            salt = cache_salt(secret, profile.isolation, key, b"")
            yield names.PATH_CHAT, salted(_ask_for_a_token(runtime, profile, key), salt)


def _callers(runtime: Runtime, profile: Profile) -> Iterable[str | None]:
    if profile.isolation is Isolation.NONE or runtime.api_keys is None:
        return [None]
    known = profile.api_keys or runtime.api_keys.names(runtime.clock.monotonic())
    return sorted(known)[:MAX_KEYS]


def _ask_for_a_token(runtime: Runtime, profile: Profile, key: str | None) -> bytes:
    terms = Terms(runtime.fleet.policy, runtime.settings.served_name, runtime.max_new_tokens, key)
    request = {"messages": [{"role": "user", "content": "1"}], "max_tokens": 1}
    headers = [(names.HEADER_PROFILE, profile.name.encode())]
    return build_generation(Api.CHAT, request, headers, terms).body
