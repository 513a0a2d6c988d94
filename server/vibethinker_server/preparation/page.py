"""The page on the ops port that tells the operator how far the weights are."""

from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from vibethinker_server import names
from vibethinker_server.checkpoint.progress import Progress
from vibethinker_server.fleet_token import carries_token

PHASE_DOWNLOADING = "DownloadingModel"
PHASE_PREPARING = "PreparingModel"
# The operator says who it is and what is in force; nothing of it is used here.
MAX_BODY_BYTES = 512 * 1024
IDLE_SECONDS = 30.0


class Standing(Collector):
    """How far the task is; written by the task, read by the page."""

    def __init__(self) -> None:
        self.downloading = True
        self._progress: Progress | None = None
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def report(self, progress: Progress) -> None:
        """Notes how far the weights are."""
        self.downloading = False
        self._progress = progress

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yields phase and share, the share only where it is known."""
        progress = self._progress
        phase = GaugeMetricFamily(names.METRIC_PHASE, "Where this pod stands.", labels=["phase"])
        phase.add_metric([PHASE_DOWNLOADING if self.downloading else PHASE_PREPARING], 1)
        yield phase
        if progress is not None and progress.total_bytes > 0:
            share = GaugeMetricFamily(names.SERIES_PREPARED, "Share of the weights written.")
            share.add_metric([], min(1.0, progress.done_bytes / progress.total_bytes))
            yield share


class ProgressServer(ThreadingHTTPServer):
    """Answers the operator's sweep, and nobody else."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], standing: Standing, token: Callable[[], bytes | None]
    ) -> None:
        """Listens at once; `serve_forever` answers."""
        self.standing = standing
        self.token = token
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ProgressServer
    timeout = IDLE_SECONDS

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self._write(413, b"send at most 512 KiB, with a length\n")
            self.close_connection = True
            return
        self.rfile.read(int(length))
        if self.path != names.PATH_FLEET:
            self._write(404, b"no such route\n")
        elif not carries_token(self.headers.get("Authorization"), self.server.token()):
            self._write(401, b"send the fleet's token as Bearer\n")
        else:
            self._write(200, generate_latest(self.server.standing.registry))

    def version_string(self) -> str:
        return "vibethinker"

    def log_message(self, *_: Any) -> None:
        """A line a second would fill the log."""

    def _write(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
