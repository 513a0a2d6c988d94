"""What runs in a stub pod: the real middleware and ops port before an engine that computes nothing.

Run by the engine image's own Python, with the server package on PYTHONPATH.
"""

import json
import os
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from vibethinker_server import names
from vibethinker_server.engine_settings import parse_engine_settings
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.ops_server import OpsRoutes, OpsServer
from vibethinker_server.serve import build_runtime

ANSWER = json.dumps(
    {"choices": [{"message": {"role": "assistant", "content": "."}, "finish_reason": "length"}]}
).encode()


async def stub_engine(scope: Any, receive: Any, send: Any) -> None:
    """Answers every request at once with one token."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def main() -> None:
    """Serve both ports until told to end."""
    settings = parse_engine_settings(os.environ[names.ENV_ENGINE])
    runtime = build_runtime(settings, Path(names.FILES_PATH), os.environ)
    ops = OpsServer(("0.0.0.0", settings.ops_port), OpsRoutes(runtime))  # noqa: S104 (in a pod)
    Thread(target=ops.serve_forever, daemon=True).start()
    uvicorn.run(
        VibeThinkerMiddleware(stub_engine, runtime),
        host="0.0.0.0",  # noqa: S104 (in a pod)
        port=settings.port,
        lifespan="on",
        log_level="warning",
    )


if __name__ == "__main__":
    main()
