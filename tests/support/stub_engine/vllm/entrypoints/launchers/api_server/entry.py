"""The stub's API server, under the module name of vLLM's own.

Adds our middleware and drives our stat logger exactly as vLLM does. On STUB_PORT, if set, tests
have a door of their own:

- POST /stub/load {"kvUsage": number or null}: the KV use that the engine reports;
- POST /stub/pace {"steps": number or null}: the engine makes so many more steps and then stands
  still, with null it runs by itself;
- GET /stub/bodies: the bodies that reached the engine, oldest first.
"""

import argparse
import asyncio
import contextlib
import importlib
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import entry_points
from typing import Any

import pynvml
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from vllm.stub import Engine, setting

NO_CAP = 100_000


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """Returns the flags that the stub obeys; vLLM's others are passed over."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name, default in {
        "served-model-name": "stub",
        "host": "127.0.0.1",
        "override-generation-config": "{}",
    }.items():
        parser.add_argument(f"--{name}", default=default)
    for name, number in {"port": 8000, "block-size": 16, "max-num-seqs": 128}.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--kv-cache-memory-bytes", type=int)
    parser.add_argument("--gpu-memory-utilization", type=float, default=0.92)
    parser.add_argument("--shutdown-timeout", type=float, default=0)
    parser.add_argument("--middleware", action="append", default=[])
    return parser.parse_known_args(argv)[0]


def take_memory(args: argparse.Namespace) -> tuple[int, Any]:
    """Returns the pool's bytes, taken whole as vLLM does: on the stub card, or really (CPU)."""
    if args.kv_cache_memory_bytes:
        pool = args.kv_cache_memory_bytes
        return pool, bytearray(b"\x01") * pool
    overhead = int(setting("OVERHEAD_BYTES", 4 * 2**30))
    pool = int(args.gpu_memory_utilization * pynvml.TOTAL_BYTES) - overhead
    pynvml.device.used_bytes = overhead + pool
    return pool, None


async def answer(engine: Engine, args: argparse.Namespace, request: Request) -> Response:
    """Generates for chat and completions, streamed or whole."""
    body = await request.json()
    engine.bodies.append(body)
    cap = json.loads(args.override_generation_config).get("max_new_tokens", NO_CAP)
    lengths = ("max_completion_tokens", "max_tokens", "max_output_tokens")
    asked = next((body[key] for key in lengths if body.get(key)), NO_CAP)
    text = json.dumps(body.get("messages") or body.get("prompt") or body.get("input"))
    priority = int(request.headers.get("X-Vllm-Priority", body.get("priority", 0)))
    tokens = engine.generate(priority, max(1, len(text) // 4), min(asked, cap))
    chat = "messages" in body
    if body.get("stream"):
        first = await anext(tokens)
        return StreamingResponse(_events(first, tokens, chat), media_type="text/event-stream")
    spoken = [token async for token in tokens]
    return JSONResponse(_choice("".join(spoken[:-1]), spoken[-1], chat, stream=False))


async def _events(first: str, tokens: AsyncIterator[str], chat: bool) -> AsyncIterator[str]:
    pending = first
    async for token in tokens:
        yield _event(_choice(pending, None, chat, stream=True))
        pending = token
    yield _event(_choice("", pending, chat, stream=True)) + "data: [DONE]\n\n"


def _event(choice: dict[str, Any]) -> str:
    # Without spaces, as vLLM writes it.
    return f"data: {json.dumps(choice, separators=(',', ':'))}\n\n"


def _choice(text: str, reason: str | None, chat: bool, *, stream: bool) -> dict[str, Any]:
    key = ("delta" if stream else "message") if chat else "text"
    content: Any = {"role": "assistant", "content": text} if chat else text
    choice = {"index": 0, key: content, "finish_reason": reason}
    return {"id": "stub", "object": "chat.completion" if chat else "text", "choices": [choice]}


def build_app(engine: Engine, args: argparse.Namespace) -> Starlette:
    """Returns the application with every --middleware around it, the last one outermost."""

    async def generate(request: Request) -> Response:
        return await answer(engine, args, request)

    async def models(request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": args.served_model_name}]})

    async def health(request: Request) -> Response:
        return Response()

    routes = [
        Route("/v1/chat/completions", generate, methods=["POST"]),
        Route("/v1/completions", generate, methods=["POST"]),
        Route("/v1/responses", generate, methods=["POST"]),
        Route("/invocations", generate, methods=["POST"]),
        Route("/v1/models", models),
        Route("/health", health),
    ]
    app = Starlette(routes=routes)
    app.state.engine_client = engine
    for path in args.middleware:
        module, name = path.rsplit(".", 1)
        app.add_middleware(getattr(importlib.import_module(module), name))
    return app


def control_app(engine: Engine) -> Starlette:
    """Returns the test's own door."""

    async def load(request: Request) -> Response:
        engine.kv_usage = (await request.json())["kvUsage"]
        engine.step()
        return Response()

    async def pace(request: Request) -> Response:
        engine.steps_left = (await request.json())["steps"]
        return Response()

    async def bodies(request: Request) -> Response:
        return JSONResponse(list(engine.bodies))

    return Starlette(
        routes=[
            Route("/stub/load", load, methods=["POST"]),
            Route("/stub/pace", pace, methods=["POST"]),
            Route("/stub/bodies", bodies),
        ]
    )


async def serve(args: argparse.Namespace) -> None:
    """Serves until SIGINT or SIGTERM, then lets what runs end within --shutdown-timeout."""
    pool, _memory = take_memory(args)
    engine = Engine(pool, args.block_size, args.max_num_seqs)
    await asyncio.sleep(setting("START_SECONDS", 0))
    for entry in entry_points(group="vllm.stat_logger_plugins"):
        engine.loggers.append(entry.load()(engine.vllm_config, 0))
    for logger in engine.loggers:
        logger.log_engine_initialized()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    server = _Server(uvicorn.Config(build_app(engine, args), host=args.host, port=args.port))
    tasks = [loop.create_task(engine.run()), loop.create_task(server.serve())]
    if port := os.environ.get("STUB_PORT"):
        control = uvicorn.Config(control_app(engine), host="0.0.0.0", port=int(port))  # noqa: S104
        tasks.append(loop.create_task(_Server(control).serve()))
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    await stop.wait()
    engine.stopping = True
    deadline = loop.time() + args.shutdown_timeout
    while (engine.running or engine.waiting) and loop.time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    server.should_exit = True
    await tasks[1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(serve(parse()))
