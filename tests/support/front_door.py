"""Our middleware before a plain application, and a client that asks it without a socket."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from vibethinker_server.line import Line
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.policy import OverloadPolicy

from tests.support.server_runtime import Rig, make_lease, make_policy

Endpoint = Callable[[Request], Awaitable[Response]]
CHAT = {"messages": [{"role": "user", "content": "hi"}]}


class FrontDoor:
    """Our middleware before a plain application that remembers what reached it."""

    def __init__(self, rig: Rig, endpoint: Endpoint | None = None) -> None:
        self.rig = rig
        self.seen: list[Request] = []
        self.bodies: list[Any] = []
        self._endpoint = endpoint
        routes = [
            Route(path, self._answer, methods=["GET", "POST"])
            for path in ("/v1/chat/completions", "/v1/completions", "/v1/models", "/health")
        ]
        closed = [Route("/{path:path}", self._answer, methods=["GET", "POST"])]
        # The router alone: in vLLM, as here, the handler of last resort stands outside of ours.
        self.app = VibeThinkerMiddleware(Router(routes=routes + closed), rig.runtime)
        transport = httpx.ASGITransport(app=self.app, client=("10.0.0.9", 4000))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://pod")

    async def _answer(self, request: Request) -> Response:
        self.seen.append(request)
        self.bodies.append(await request.body())
        if self._endpoint is not None:
            return await self._endpoint(request)
        return JSONResponse({"ok": True})

    async def chat(self, ticket: str | None = None, **more: Any) -> httpx.Response:
        headers = {"X-Session-Ticket": ticket} if ticket else {}
        return await self.client.post("/v1/chat/completions", json=CHAT | more, headers=headers)


def refuse_newcomers(rig: Rig) -> None:
    rig.runtime.fleet.accept(
        make_policy(OverloadPolicy.REJECT), make_lease(ttl_seconds=1e9), rig.clock.now
    )
    rig.runtime.line = Line(crossed=True, above_since=0.0)
