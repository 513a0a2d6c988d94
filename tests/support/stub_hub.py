"""A model hub on loopback: one repository, served from a directory as the real hub's client asks.

The client is the real one (huggingface_hub); what it asks for and what it must be told was read
from its own requests.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOT_FOUND = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}


@dataclass
class StubHub:
    """One repository; `asked` has the path of every request."""

    repository: str
    directory: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving_hub(repository: str, directory: Path) -> Iterator[StubHub]:
    """Serves the files of `directory` as `repository` meanwhile."""
    hub = StubHub(repository, directory)
    handler = type("Handler", (_Handler,), {"hub": hub})
    with _Server(("127.0.0.1", 0), handler) as server:
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield hub
        server.shutdown()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client whose disk is full leaves in the middle."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: StubHub

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: Any) -> None:
        """A test's output is not the place."""

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(path)
        status, headers, body = self._find(path)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _find(self, path: str) -> tuple[int, dict[str, str], bytes]:
        api, files = f"/api/models/{self.hub.repository}", f"/{self.hub.repository}/resolve/"
        kind = {"Content-Type": "application/json"}
        if path == f"{api}/revision/main":
            return 200, kind, json.dumps(self._info()).encode()
        if path.startswith(f"{api}/revision/"):
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        if path == f"{api}/tree/{COMMIT}":
            return 200, kind, json.dumps(self._tree()).encode()
        if path.startswith(files):
            file = self.hub.directory / path.removeprefix(files).partition("/")[2]
            if file.is_file():
                return 200, {"ETag": f'"{_oid(file)}"', "X-Repo-Commit": COMMIT}, file.read_bytes()
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        return 404, NOT_FOUND, b""

    def _info(self) -> dict[str, Any]:
        siblings = [{"rfilename": file.name} for file in self.hub.directory.iterdir()]
        return {"id": self.hub.repository, "sha": COMMIT, "siblings": siblings, "tags": []}

    def _tree(self) -> list[dict[str, Any]]:
        return [
            {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _oid(file)}
            for file in self.hub.directory.iterdir()
        ]


def _oid(file: Path) -> str:
    return sha1(file.name.encode()).hexdigest()  # noqa: S324 (a name, as git's are)
