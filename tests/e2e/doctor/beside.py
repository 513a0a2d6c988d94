"""The doctor beside an engine, as its command says it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.cluster.images.python_site import find_python
from tests.e2e.engine_process import EngineProcess


def examine(engine: EngineProcess) -> dict[str, Any]:
    """What the command beside the engine says."""
    where = ["--url", engine.ops("").rstrip("/"), "--client-url", engine.url("").rstrip("/")]
    command = [find_python(), "-m", "vibethinker_server", "doctor", "--format", "json", *where]
    # Its own packages are those of the engine's image.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": _path_of(engine)}
    done = subprocess.run(
        [*command, "--log", str(engine.log)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.stderr == ""
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == document["status"]
    return document


def codes(document: dict[str, Any]) -> list[str]:
    """The findings' codes, in their order."""
    return [finding["code"] for finding in document["findings"]]


def _path_of(engine: EngineProcess) -> str:
    environment = Path(f"/proc/{engine.process.pid}/environ").read_bytes().split(b"\0")
    paths = dict(part.split(b"=", 1) for part in environment if b"=" in part)[b"PYTHONPATH"]
    return f"{engine.log.parent / 'site'}:{paths.decode()}"
