"""An application in the engine's place that remembers what reached it, and a client for ASGI."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.hostile_requests import Hostile


@dataclass
class RecordingEngine:
    """Answers every request with `answer`, and keeps its path, headers and body."""

    answer: bytes = b"{}"
    paths: list[str] = field(default_factory=list)
    headers: list[dict[bytes, bytes]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        self.paths.append(scope["path"])
        self.headers.append(dict(scope["headers"]))
        self.bodies.append(json.loads(body) if body else None)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.answer})


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error in OpenAI's shape."""
        error = json.loads(self.body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return dict(error)


async def ask(app: Any, request: Hostile) -> Answer:
    """Sends exactly this request, as JSON if it does not say; no client tidies it."""
    named = {name.lower(): value for name, value in request.headers}
    kind = [] if "content-type" in named else [("content-type", "application/json")]
    headers = [
        (name.lower().encode(), value.encode("latin-1"))
        for name, value in (*request.headers, *kind)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": request.method,
        "path": request.path,
        "headers": headers,
        "client": ("10.0.0.9", 4000),
    }
    await app(scope, receive, send)
    start, *chunks = sent
    got = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], got, b"".join(chunk.get("body", b"") for chunk in chunks))
