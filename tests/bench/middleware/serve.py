"""One contestant in a process of its own, served as vLLM serves: uvicorn, uvloop, httptools.

    python -m tests.bench.middleware.serve ours --port 8000 --files DIRECTORY [--saturated] [--held]

Run by a Python whose path holds exactly the packages of requirements.txt.
"""

import argparse
from pathlib import Path

import uvicorn

from tests.bench.middleware.apps import build_app


def main() -> None:
    """Serves until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contestant")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--saturated", action="store_true")
    parser.add_argument("--held", action="store_true")
    parser.add_argument("--keep-alive", action="store_true")
    options = parser.parse_args()
    app = build_app(
        options.contestant,
        options.files,
        saturated=options.saturated,
        held=options.held,
        close=not options.keep_alive,
    )
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=options.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
