"""A server process on this machine: our `serve` around a real or a stub engine, on loopback."""

import json
import os
import signal
import socket
import subprocess
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.cluster.images.python_site import find_python
from tests.support.policy_document import POLICY as DEFAULT_POLICY
from tests.support.policy_document import SATURATION

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server"
TOKEN = "e2e-fleet-token"  # noqa: S105 (of processes on loopback that this test starts)
POLICY: dict[str, Any] = {
    **DEFAULT_POLICY,
    "saturation": {**SATURATION, "sustainedSeconds": 1},
    "tokenLimits": {"math": 512, "code": 768, "qa": 2048},
}


def package_site(directory: Path) -> Path:
    """Returns `directory` holding our package as an image has it, with its entry points."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for package in ("vibethinker_doctor", "vibethinker_server"):
        (directory / package).symlink_to(SERVER / package)
    info = directory / f"vibethinker-{project['version']}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: vibethinker\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(metadata)
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return directory


def free_port() -> int:
    """Returns a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def values(page: str) -> dict[str, float]:
    """Returns every series of a page in Prometheus' text format, by its name and labels."""
    lines = (line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


@dataclass(frozen=True)
class Backend:
    """What a test must know of an engine: its KV pool, and what stands for the card's memory."""

    name: str
    bytes_per_token: int
    pool_bytes: int
    limit_bytes: int


# A stub of vLLM, of which no test asks for sizes.
STUB = Backend("stub", 0, 0, 0)


@dataclass
class EngineProcess:
    """One running server with its two ports; `behind`: where an engine of its own listens."""

    process: subprocess.Popen[bytes]
    port: int
    ops_port: int
    log: Path
    backend: Backend = STUB
    behind: str = ""
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def url(self, path: str) -> str:
        """Returns the address of `path` on the client port."""
        return f"http://127.0.0.1:{self.port}{path}"

    def ops(self, path: str) -> str:
        """Returns the address of `path` on the ops port."""
        return f"http://127.0.0.1:{self.ops_port}{path}"

    def phase(self) -> str | None:
        """Returns the phase that the ops port shows, None while it does not answer."""
        try:
            return str(self.client.get(self.ops("/-/ready")).json()["phase"])
        except httpx.TransportError:
            return None

    def sweep(self, policy: Any = None, **lease: Any) -> str:
        """Sends one sweep as the operator does and returns the small page."""
        body = {
            "policy": policy or POLICY,
            "lease": {
                "growth": "CanGrow",
                "reliefSeconds": None,
                "moveConnections": False,
                "ttlSeconds": 10,
                **lease,
            },
        }
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = self.client.post(self.ops("/-/fleet"), json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> None:
        """Waits until `condition` holds; fails with the end of the log after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            tail = self.log.read_text(errors="replace")[-4000:]
            assert self.process.poll() is None, f"the server ended:\n{tail}"
            assert time.monotonic() < deadline, f"not within {seconds} s:\n{tail}"
            time.sleep(0.1)

    def children(self) -> list[int]:
        """Returns the process ids of its whole process group but itself."""
        group = self.process.pid
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == group:
                continue
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
        return found


@contextmanager
def start_engine(
    directory: Path,
    *,
    pythonpath: list[Path],
    settings: dict[str, Any],
    environment: dict[str, str] | None = None,
    main: list[str] | None = None,
    policy: dict[str, Any] = POLICY,
    backend: Backend = STUB,
) -> Iterator[EngineProcess]:
    """Runs `serve` with its files below `directory`, in a process group of its own."""
    files = directory / "etc"
    for name, text in {
        "policy/policy.json": json.dumps(policy),
        "fleet/ticket-key": "e2e-ticket-key",
        "fleet/fleet-token": TOKEN,
    }.items():
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).write_text(text)
    port, ops_port = free_port(), free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "USER") if name in os.environ}
    variables = {
        **kept,
        "PYTHONPATH": ":".join(map(str, pythonpath)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HF_HUB_OFFLINE": "1",
        "VLLM_CACHE_ROOT": str(directory / "vllm-cache"),
        "POD_NAME": "pod-under-test",
        "VIBETHINKER_FILES": str(files),
        "VIBETHINKER_ENGINE": json.dumps({**settings, "port": port, "opsPort": ops_port}),
        **(environment or {}),
    }
    log = directory / "server.log"
    command = [find_python(), *(main or ["-m", "vibethinker_server", "serve"])]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=variables, stdout=output, stderr=output, cwd=directory, process_group=0
        )
    engine = EngineProcess(process, port, ops_port, log, backend)
    try:
        yield engine
    finally:
        engine.client.close()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
