"""The contestants that are Python applications, each around the same bare one."""

import hmac
import json
import os
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from vibethinker_server import names
from vibethinker_server.engine_settings import parse_engine_settings
from vibethinker_server.line import Line
from vibethinker_server.load import DeviceMemory, EngineReading
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.runtime import Runtime
from vibethinker_server.serve import build_runtime

from tests.bench.middleware.stub_app import STEP_SECONDS, TICKET, RefusingApp, StubApp
from tests.bench.middleware.traffic import KEY, MODEL
from tests.support.policy_document import POLICY as DEFAULT_POLICY

BARE, OURS, BASE = "bare", "ours", "base_http_middleware"
# A second one of the same: what two equal contestants seem to add to each other is the noise.
AGAIN = "bare_again"
GIB = 2**30
# As far back as the pod's own rate of service reaches.
BUSY_SECONDS = 60.0
ENGINE = {
    "model": "WeiboAI/VibeThinker-1.5B",
    "servedName": MODEL,
    "device": "GPU",
    "dtype": "Float16",
    "blockSize": 16,
    "maxModelLen": 4096,
    "maxNumSeqs": 128,
    "maxNumBatchedTokens": 4096,
    "gpuMemoryUtilizationPercentage": 85,
    "drainSeconds": 30,
}
POLICY = {
    **DEFAULT_POLICY,
    # Nothing here measures the queue's bound, and 5,000 streams have to get in.
    "overload": {"policy": "ScaleOutThenReject", "maxQueuedRequests": 100_000},
    # One key asks for all, and each request is a session of its own.
    "sessions": {"maxKnownPerKey": 1_000_000},
}
# Some keys beside the caller's: every one of them is compared.
KEYS = {f"team-{number}": f"sk-other-{number:032d}" for number in range(7)} | {"bench": KEY}


def build_app(
    contestant: str, files: Path, *, saturated: bool = False, held: bool = False, close: bool = True
) -> Any:
    """Returns the application of a contestant; `saturated`: newcomers are refused with 429.

    `close` is for the bare one alone: whether its 429 ends the connection, as ours does.
    """
    if contestant == OURS:
        runtime = build_server_runtime(files, saturated=saturated)
        engine = StubApp(held=held, on_step=lambda: finish_one(runtime, 0.0))
        return VibeThinkerMiddleware(engine, runtime)
    bare = StubApp(held=held)
    if contestant == BASE:
        return KeyAndJson(bare, saturated=saturated)
    return RefusingApp(bare, close=close) if saturated else bare


def write_files(files: Path) -> None:
    """Writes what a pod finds mounted."""
    for name, text in {
        names.POLICY_FILE: json.dumps(POLICY),
        names.TICKET_KEY_FILE: "the benchmark's ticket key",
        names.FLEET_TOKEN_FILE: "the benchmark's fleet token",
        **{f"keys/{name}": key for name, key in KEYS.items()},
    }.items():
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_text(text, encoding="utf-8")


def build_server_runtime(files: Path, *, saturated: bool) -> Runtime:
    """Returns the runtime of a pod that serves with room, or with memory above its line."""
    environment = {**os.environ, names.ENV_POD_NAME: "pod", names.ENV_API_KEYS: str(files / "keys")}
    runtime = build_runtime(parse_engine_settings(json.dumps(ENGINE)), files, environment)
    runtime.answering = True
    runtime.stats.initialized = True
    runtime.stats.pool_bytes = 8 * GIB
    usage = 0.85 if saturated else 0.1
    runtime.stats.reading = EngineReading(running=64, waiting=0, kv_usage_ratio=usage)
    runtime.device = DeviceMemory(total_bytes=16 * GIB, used_bytes=14 * GIB)
    # Without an operator's lease nobody says that help is coming: so newcomers are refused.
    runtime.line = Line(crossed=saturated, above_since=0.0 if saturated else None)
    for step in range(int(BUSY_SECONDS / STEP_SECONDS), 0, -1):
        finish_one(runtime, step * STEP_SECONDS)
    return runtime


def finish_one(runtime: Runtime, seconds_ago: float) -> None:
    """Lets the engine have finished one request in a step: a pod that is asked has been busy."""
    now = runtime.clock.monotonic() - seconds_ago
    finished = SimpleNamespace(num_prompt_tokens=60, num_generation_tokens=200)
    step = SimpleNamespace(
        finished_requests=[finished], num_prompt_tokens=60, time_to_first_tokens_iter=[0.05]
    )
    runtime.stats.record(None, step, now, backlog=0)


class KeyAndJson(BaseHTTPMiddleware):
    """What one would write first: a key check, the body read and written anew, a header."""

    def __init__(self, app: Any, *, saturated: bool) -> None:
        super().__init__(app)
        self._saturated = saturated
        self._digests = [sha256(key.encode()).digest() for key in KEYS.values()]

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        """Serves one request."""
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        digest = sha256(sent.encode()).digest()
        if not sum(hmac.compare_digest(digest, known) for known in self._digests):
            return JSONResponse({"error": "key"}, status_code=401)
        if request.method == "POST":
            body = json.loads(await request.body())
            if self._saturated and TICKET.decode() not in request.headers:
                headers = {"retry-after": "12", "connection": "close"}
                return JSONResponse({"error": {"message": "full"}}, 429, headers)
            body["max_tokens"] = min(body["max_tokens"], 768)
            # The one way to hand on another body than came.
            request._body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        response: Response = await call_next(request)
        response.headers["x-served-by"] = "pod"
        return response
