"""Hostile requests over a socket: exactly as they are, where an HTTP client would tidy them."""

import http.client
import json
from dataclasses import dataclass

from tests.e2e.engine_process import EngineProcess
from tests.support.hostile_requests import Hostile


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def used_tokens(self) -> int:
        """What the answers cost, 0 where a stream or an error does not say."""
        if not self.body.startswith(b"{"):
            return 0
        usage = json.loads(self.body).get("usage") or {}
        return int(usage.get("completion_tokens", usage.get("output_tokens", 0)))


def answer_of(engine: EngineProcess, hostile: Hostile) -> Answer:
    """Sends exactly this, as JSON if it does not say; on its own connection: some are closed."""
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=60)
    try:
        connection.putrequest(hostile.method, hostile.path)
        named = {name.lower() for name, _ in hostile.headers}
        kind = () if "content-type" in named else (("content-type", "application/json"),)
        length = ("content-length", str(len(hostile.body)))
        for name, value in (*kind, *hostile.headers, length):
            connection.putheader(name, value.encode("latin-1"))
        try:
            connection.endheaders(hostile.body)
        except (BrokenPipeError, ConnectionResetError):
            assert hostile.status == 413  # answered before all of it was sent
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        connection.close()
