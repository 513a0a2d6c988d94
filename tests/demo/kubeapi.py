"""Reads objects from the Kubernetes API over one kept connection.

Once a second a `kubectl` process per object would cost more CPU than the fleet that it watches.
"""

import base64
import os
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
READ_SECONDS = 3.0


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where an API server is and how this program shows who it is."""

    server: str
    tls: ssl.SSLContext | bool
    headers: dict[str, str] = field(default_factory=dict)


def read_account() -> Access:
    """The access that a pod's service account gives."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    token = (ACCOUNT / "token").read_text()
    return Access(
        server=f"https://{host}:{port}",
        tls=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")),
        headers={"Authorization": f"Bearer {token}"},
    )


def read_kubeconfig(path: Path, context: str = "") -> Access:
    """The access that one context of a kubeconfig gives, by certificate or by token.

    Raises:
        ValueError: the context, its cluster or its user is not in the file.
    """
    config = yaml.safe_load(path.read_text())
    chosen = _named(config, "contexts", context or config["current-context"], path)["context"]
    cluster = _named(config, "clusters", chosen["cluster"], path)["cluster"]
    user = _named(config, "users", chosen["user"], path)["user"]
    tls = ssl.create_default_context(cadata=_read_pem(cluster, "certificate-authority", path))
    if "client-certificate" in user or "client-certificate-data" in user:
        _load_client(tls, user, path)
    token = user.get("token")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Access(server=cluster["server"].rstrip("/"), tls=tls, headers=headers)


def _named(config: dict[str, Any], section: str, name: str, path: Path) -> dict[str, Any]:
    for entry in config.get(section, ()):
        if entry["name"] == name:
            return dict(entry)
    raise ValueError(f"{path}: no {name!r} among its {section}")


def _read_pem(holder: dict[str, str], key: str, path: Path) -> str:
    if data := holder.get(f"{key}-data"):
        return base64.b64decode(data).decode()
    return (path.parent / holder[key]).read_text()


def _load_client(tls: ssl.SSLContext, user: dict[str, str], path: Path) -> None:
    # The ssl module takes a client's certificate from files only.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:
        for key in ("client-certificate", "client-key"):
            pem.write(_read_pem(user, key, path) + "\n")
        pem.flush()
        tls.load_cert_chain(pem.name)


class KubeApi:
    """Objects of one API server as plain dicts."""

    def __init__(self, http: aiohttp.ClientSession, tls: ssl.SSLContext | bool) -> None:
        self._http = http
        self._tls = tls

    async def read(self, path: str, **query: str) -> dict[str, Any]:
        """The object at a path; raises `aiohttp.ClientError` or `TimeoutError` where it fails."""
        async with self._http.get(path, params=query, ssl=self._tls) as response:
            response.raise_for_status()
            return dict(await response.json())


@asynccontextmanager
async def open_api(access: Access) -> AsyncIterator[KubeApi]:
    """An API client that lives as long as the block."""
    timeout = aiohttp.ClientTimeout(total=READ_SECONDS)
    async with aiohttp.ClientSession(
        access.server, headers=access.headers, timeout=timeout
    ) as http:
        yield KubeApi(http, access.tls)
