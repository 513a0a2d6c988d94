"""What a request costs the Python contestants without sockets, in CPU time of one thread.

    python -m tests.bench.middleware.in_process --files DIRECTORY   prints JSON, seconds by round

CPU time, not time passed: what else runs on this machine then counts only through the caches.
"""

import argparse
import asyncio
import gc
import importlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.middleware.apps import AGAIN, BARE, BASE, OURS, build_app
from tests.bench.middleware.load import rotate
from tests.bench.middleware.traffic import PATH, build_body, build_request

ROUNDS = 7
# After these no other round begins.
BUDGET_SECONDS = 20.0
CALLS = 150
STREAMS = 12
SHORT, LONG = 8, 264
SIZES = {"1k": 1024, "16k": 16 * 1024}
JSON_ALONE = "json_alone"
PLAIN = (BARE, OURS, BASE)
ASKED = [
    *((size, build_body(length, max_tokens=64), CALLS) for size, length in SIZES.items()),
    *(
        (f"{chunks} chunks", build_body(1024, max_tokens=chunks, stream=True), STREAMS)
        for chunks in (SHORT, LONG)
    ),
]

Samples = dict[str, dict[str, list[float]]]


async def call(app: Any, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    """Makes one ASGI request and returns the answer's status."""
    # As many keys as uvicorn gives: who copies a scope pays for them.
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 40_000),
        "scheme": "http",
        "method": "POST",
        "root_path": "",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": headers,
        "state": {},
    }
    pending = [{"type": "http.request", "body": body, "more_body": False}]
    statuses: list[int] = []

    async def receive() -> Any:
        return pending.pop() if pending else await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


async def measure(files: Path) -> Samples:
    """Returns the seconds of one request by what was asked and of whom, one sample a round."""
    apps = {name: build_app(name, files) for name in PLAIN}
    apps[AGAIN] = build_app(BARE, files)
    full = {name: build_app(name, files, saturated=True) for name in PLAIN}
    samples: Samples = {}

    def keep(what: str, name: str, seconds: float) -> None:
        samples.setdefault(what, {}).setdefault(name, []).append(seconds)

    until = time.monotonic() + BUDGET_SECONDS
    for number in range(ROUNDS):
        if number and time.monotonic() >= until:
            break
        for name in rotate(list(apps), number):
            for what, body, calls in ASKED:
                seconds = await time_calls(apps[name], body, status=200, calls=calls)
                keep(what, name, seconds)
        for name in rotate(PLAIN, number):
            body = build_body(2048, max_tokens=64)
            keep("reject", name, await time_calls(full[name], body, status=429, calls=CALLS))
        for what, body, _ in ASKED[: len(SIZES)]:
            keep(what, JSON_ALONE, _json_alone(body))
    return samples


async def time_calls(app: Any, body: bytes, *, status: int, calls: int) -> float:
    """Returns the CPU seconds of one request, over `calls` of them.

    Raises:
        RuntimeError: an answer has another status.
    """
    headers = _headers(build_request(body))
    for _ in range(max(2, calls // 10)):
        if (got := await call(app, headers, body)) != status:
            raise RuntimeError(f"answered with {got}, not {status}")
    gc.collect()
    gc.disable()
    began = time.thread_time()
    for _ in range(calls):
        await call(app, headers, body)
    spent = time.thread_time() - began
    gc.enable()
    return spent / calls


def _json_alone(body: bytes) -> float:
    encode: Callable[[Any], str] = json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode
    began = time.thread_time()
    for _ in range(CALLS):
        encode(json.loads(body)).encode()
    return (time.thread_time() - began) / CALLS


def _headers(request: bytes) -> list[tuple[bytes, bytes]]:
    lines = request.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]
    pairs = (line.split(b": ", 1) for line in lines)
    return [(name.lower(), value) for name, value in pairs]


def main() -> None:
    """Measures on vLLM's event loop and prints the samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=Path, required=True)
    options = parser.parse_args()
    new_loop = importlib.import_module("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=new_loop) as runner:
        print(json.dumps(runner.run(measure(options.files))))


if __name__ == "__main__":
    main()
