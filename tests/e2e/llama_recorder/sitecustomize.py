"""Python runs this file before anything else where its directory is on PYTHONPATH.

It writes down every body that our proxy sends to llama-server, a line of JSON each, in ARRIVALS;
and it lets tests break our server in the ways of `sabotage/`.
"""

import importlib
import json
import os
import runpy
from pathlib import Path
from typing import Any

runpy.run_path(str(Path(__file__).parents[1] / "sabotage" / "sitecustomize.py"))
aiohttp: Any = importlib.import_module("aiohttp")
post = aiohttp.ClientSession.post


def record_and_post(session: Any, path: str, **how: Any) -> Any:
    """Sends as the product does."""
    with Path(os.environ["ARRIVALS"]).open("a") as file:
        file.write(json.dumps({"path": path, "body": json.loads(how["data"])}) + "\n")
    return post(session, path, **how)


aiohttp.ClientSession.post = record_and_post
