"""The door of the client port: a plain ASGI class that vLLM puts outside all of its own.

Order of one request: key, path, body, limits, admission, engine, answer.
"""

import asyncio
import logging
from typing import Any

from vibethinker_server import names
from vibethinker_server.admission import Rejected
from vibethinker_server.api_keys import authenticate
from vibethinker_server.chat_page import render_page
from vibethinker_server.door import Door
from vibethinker_server.generation import Generation, Terms, build_generation, salted
from vibethinker_server.lifespan import take_sigterm
from vibethinker_server.openai_errors import OpenAIError
from vibethinker_server.request_body import (
    ClientGoneError,
    Headers,
    Message,
    Receive,
    Send,
    engine_headers,
    parse_request,
    read_body,
    replay,
)
from vibethinker_server.responses import Response
from vibethinker_server.routes import Api, find_route
from vibethinker_server.runtime import Runtime, installed
from vibethinker_server.warm_up import App, warm_up

POLICY_VIOLATION = 1008
# Probes have no key, and the page is where a person enters one.
OPEN_PATHS = (names.PATH_HEALTH, names.PATH_PAGE)

log = logging.getLogger(__name__)


class VibeThinkerMiddleware:
    """Limits, admission, sessions, drain and translations before vLLM's application."""

    def __init__(self, app: App, runtime: Runtime | None = None) -> None:
        """Takes the application; vLLM passes nothing else, tests pass a runtime."""
        self._app = app
        self._runtime = runtime or installed()
        self._door = Door(self._runtime)
        self._warming: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serves one ASGI connection."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})

    async def _serve(self, scope: Any, receive: Receive, send: Send) -> None:
        generates = scope["method"] == "POST"
        response = Response(self._runtime, self._door, scope, send, generates=generates)
        try:
            key = self._authenticate(scope)
            route = find_route(scope["method"], scope["path"])
            if scope["path"] == names.PATH_PAGE:
                await response.page(self._render_page())
                return
            if route.api is None:
                await self._app(scope, receive, response.send)
                return
            generation = await self._read(route.api, key, scope["headers"], receive)
        except OpenAIError as error:
            await response.error(error)
        except ClientGoneError:
            return
        else:
            response.generation = generation
            await self._generate(scope, key, generation, receive, response)

    def _authenticate(self, scope: Any) -> str | None:
        """Returns the name of the caller's API key, None where none is asked for."""
        runtime = self._runtime
        if runtime.api_keys is None or scope["path"] in OPEN_PATHS:
            return None
        try:
            digests = runtime.api_keys.read(runtime.clock.monotonic())
            name = authenticate(digests, scope["headers"])
        except OpenAIError as error:
            runtime.unauthorized.add(error.code)
            raise
        except Exception:
            what = "an API key could not be judged; nobody gets in"
            runtime.count_error(names.WHERE_REQUEST, log, what)
            raise OpenAIError(503, "API keys cannot be judged here.", "keys_unreadable") from None
        runtime.requests_by_key.add(name)
        return name

    def _render_page(self) -> bytes:
        runtime = self._runtime
        return render_page(
            runtime.fleet.policy,
            served_name=runtime.settings.served_name,
            max_new_tokens=runtime.max_new_tokens,
            key_required=runtime.api_keys is not None,
        )

    async def _read(
        self, api: Api, key: str | None, headers: Headers, receive: Receive
    ) -> Generation:
        body = await read_body(receive, headers)
        runtime = self._runtime
        served_name, most = runtime.settings.served_name, runtime.max_new_tokens
        terms = Terms(runtime.fleet.policy, served_name, most, key, runtime.sampling)
        try:
            return build_generation(api, parse_request(body), headers, terms)
        except OpenAIError:
            raise
        except Exception:
            # Closed: what could not be judged might be what no cap or prompt holds for.
            runtime.count_error(names.WHERE_REQUEST, log, "a body could not be judged; refused")
            message = "This body could not be read; the server's log says why."
            raise OpenAIError(400, message, "invalid_body") from None

    async def _generate(
        self,
        scope: Any,
        key: str | None,
        generation: Generation,
        receive: Receive,
        response: Response,
    ) -> None:
        verdict = self._door.let_in(key, scope["headers"], generation)
        if isinstance(verdict, Rejected):
            await response.reject(verdict)
            return
        try:
            response.follow(verdict)
            body = salted(generation.body, verdict.salt)
            headers = engine_headers(scope["headers"], body, verdict.priority)
            inner = {**scope, "headers": headers, "query_string": b""}
            await self._app(inner, replay(body, receive), response.send)
        except Exception:
            refusal = response.draining_refusal()
            if response.started or refusal is None:
                raise  # vLLM's own handlers shape it
            await response.reject(refusal)
        finally:
            response.settle()
            self._door.leave(verdict)

    async def _live(self, scope: Any, receive: Receive, send: Send) -> None:
        async def begin_after_start(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._begin(scope.get("app"))

        await self._app(scope, receive, begin_after_start)

    def _begin(self, application: Any) -> None:
        """Takes over SIGTERM and sees to the first answer, now that the application has started."""
        runtime = self._runtime
        take_sigterm(runtime)
        engine = getattr(getattr(application, "state", None), "engine_client", None)
        runtime.backlog = getattr(engine, "get_num_queued_tokens", None)
        self._warming = asyncio.create_task(warm_up(runtime, self._app, application))
