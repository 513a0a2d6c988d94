"""The box's Kubernetes API as tests need it: quick reads over one connection, writes by kubectl."""

import json
import ssl
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from tests.cluster import Box
from tests.cluster.layout import API_PORT, NODE_ADDRESS
from tests.integration.operations.box_network import BoxNetwork

Object = dict[str, Any]
T = TypeVar("T")

VTD = "/apis/vibethinker.io/v1alpha1/namespaces/{}/vibethinkerdeployments"
DEPLOYMENTS = "/apis/apps/v1/namespaces/{}/deployments"
WAIT_SECONDS = 120.0
ASK_AGAIN_SECONDS = 0.2


class Kube:
    """Reads objects as the administrator; None where there is none."""

    def __init__(self, box: Box, network: BoxNetwork) -> None:
        self.box, self.network = box, network
        config = json.loads(box.kubeconfig.read_text())
        self._client = httpx.Client(
            base_url=f"https://{NODE_ADDRESS}:{API_PORT}",
            headers={"Authorization": f"Bearer {config['users'][0]['user']['token']}"},
            verify=ssl.create_default_context(cafile=str(box.layout.pki / "ca.crt")),
            timeout=5,
        )

    def get(self, path: str, **query: str) -> Object | None:
        """Returns the object or list at `path`."""
        answer = self.network.call(self._client.get, path, params=query)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found: Object = answer.raise_for_status().json()
        return found

    def list_items(self, path: str, **query: str) -> list[Object]:
        """Returns the objects of a collection."""
        return list((self.get(path, **query) or {"items": []})["items"])

    def apply(self, *manifests: Object) -> None:
        """Applies objects."""
        document = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.box.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(document))

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


def wait_for(
    look: Callable[[], T], what: str, *, seconds: float = WAIT_SECONDS, every: float | None = None
) -> T:
    """Returns the first result of `look` that is true.

    Raises:
        TimeoutError: there was none in time; the message holds the last one.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s; last seen: {found!r}")
        time.sleep(every or ASK_AGAIN_SECONDS)
    return found


def unix_now() -> float:
    """Returns unix seconds, to compare with times in a status."""
    return time.time()  # noqa: TID251 (the edge)
