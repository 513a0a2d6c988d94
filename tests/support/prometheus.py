"""A real Prometheus for a test: started, asked, ended."""

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from tests.cluster.prometheus import prometheus_binaries

START_SECONDS = 30.0
Json = dict[str, Any]
Call = Callable[..., Any]


@dataclass(frozen=True)
class Curve:
    """One series over time: its labels, and its values by unix seconds."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


def call_here(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls a function as it is: where this process is, Prometheus is, too."""
    return function(*args, **kwargs)


class Prometheus:
    """One Prometheus; `call` runs functions where it shall be (a box's network), or here."""

    def __init__(self, directory: Path, port: int, config: Json, *, call: Call = call_here) -> None:
        self._call = call
        self._url = f"http://127.0.0.1:{port}"
        self._log = directory / "prometheus.log"
        file = directory / "prometheus.yaml"
        file.write_text(yaml.safe_dump(config))
        argv = [
            str(prometheus_binaries() / "prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={directory / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        with self._log.open("wb") as log:
            self._process: subprocess.Popen[bytes] = call(
                subprocess.Popen, argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def __enter__(self) -> Self:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            said = self._log.read_text(errors="replace")[-2000:]
            assert self._process.poll() is None, f"Prometheus ended:\n{said}"
            assert time.monotonic() < deadline, f"Prometheus is not ready:\n{said}"
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def curves(self, expression: str, start: float, end: float, step: float = 1.0) -> list[Curve]:
        """Returns what the expression gives over a time, in unix seconds.

        Raises:
            AssertionError: Prometheus refuses the expression; the message says why.
        """
        span = {"start": start, "end": end, "step": step}
        found = self._get("query_range", query=expression, **span)["result"]
        return [
            Curve(each["metric"], tuple((at, float(value)) for at, value in each["values"]))
            for each in found
        ]

    def rules(self) -> list[Json]:
        """Returns every rule with its health and its last error."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def firing(self) -> list[Json]:
        """Returns the alerts that fire."""
        return [alert for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"]

    def _get(self, what: str, **query: Any) -> Any:
        answer = self._call(httpx.get, f"{self._url}/api/v1/{what}", params=query, timeout=30)
        assert answer.status_code == httpx.codes.OK, f"{query.get('query', what)}: {answer.text}"
        return answer.json()["data"]

    def _is_ready(self) -> bool:
        try:
            answer = self._call(httpx.get, f"{self._url}/-/ready", timeout=5)
        except httpx.TransportError:
            return False
        return bool(answer.status_code == httpx.codes.OK)
