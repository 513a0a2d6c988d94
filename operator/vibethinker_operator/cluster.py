"""The only Kubernetes client: reads, creates, applies, scales, annotates. All of it is I/O."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from kubernetes.aio import client, config
from prometheus_client import Histogram

from vibethinker_operator import names
from vibethinker_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from vibethinker_operator.paths import collection_path, object_path

Body = Mapping[str, Any]

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
HTTP_CLIENT_ERROR = 400
HTTP_TOO_MANY_REQUESTS = 429
HTTP_SERVER_ERROR = 500
ERRORS = {403: ForbiddenError, 404: NotFoundError, 409: ConflictError}
REQUEST_TIMEOUT_SECONDS = 10.0
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NO_ANSWER = "none"


async def load_configuration() -> client.Configuration:
    """Returns the in-cluster configuration, or the kubeconfig's where there is none."""
    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException:
        await config.load_kube_config(client_configuration=configuration)
    return configuration


class Cluster:
    """Reads and writes of the Kubernetes API, each a single request.

    Raises:
        ConflictError: the object changed since it was read (409); read again and decide again.
        ForbiddenError: a right, a quota or an admission policy says no (403).
        UnavailableError: no answer, 429 or 5xx; the next tick tries again.
        ClusterError: the object is malformed in the API server's eyes (other 4xx).
    """

    def __init__(self, api: client.ApiClient) -> None:
        self._api = api
        self.request_seconds = Histogram(
            names.METRIC_API_SECONDS,
            "Seconds of requests to the Kubernetes API, by method and answered code (none: none).",
            labelnames=("method", "code"),
            buckets=REQUEST_BUCKETS,
            registry=None,
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._api.close()

    async def read(self, manifest: Body, subresource: str = "") -> dict[str, Any] | None:
        """Returns the live object that `manifest` names, or None where there is none."""
        try:
            return await self._request("GET", object_path(manifest, subresource))
        except NotFoundError:
            return None

    async def check_list(self, path: str) -> None:
        """Raises what a list of the collection at `path` would raise."""
        await self._request("GET", path, query={"limit": "1"})

    async def create(self, manifest: Body) -> bool:
        """Creates the object; returns False where it is already there."""
        query = {"fieldManager": names.OPERATOR_MANAGER}
        try:
            await self._request("POST", collection_path(manifest), manifest, query=query)
        except ConflictError:
            return False
        return True

    async def apply(self, manifest: Body, *, force: bool) -> None:
        """Server-side applies the object; without `force` another manager's fields conflict."""
        await self._apply(object_path(manifest), manifest, names.OPERATOR_MANAGER, force=force)

    async def apply_status(self, resource: Body, status: Body) -> None:
        """Server-side applies the status of `resource`."""
        manifest = _skeleton(resource) | {"status": dict(status)}
        await self._apply(object_path(resource, "status"), manifest, names.OPERATOR_MANAGER)

    async def apply_replicas(self, deployment: Body, replicas: int, resource_version: str) -> None:
        """Sets a Deployment's replicas through /scale, if it still is at `resource_version`."""
        metadata = deployment["metadata"]
        scale = {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "resourceVersion": resource_version,
            },
            "spec": {"replicas": replicas},
        }
        await self._apply(object_path(deployment, "scale"), scale, names.SCALER_MANAGER)

    async def annotate(self, manifest: Body, annotations: Mapping[str, str | None]) -> None:
        """Merges annotations into the object; None removes one."""
        patch = {"metadata": {"annotations": dict(annotations)}}
        query = {"fieldManager": names.OPERATOR_MANAGER}
        await self._request("PATCH", object_path(manifest), patch, query=query, content_type=MERGE)

    async def _apply(self, path: str, manifest: Body, manager: str, *, force: bool = True) -> None:
        query = {"fieldManager": manager, "force": str(force).lower()}
        await self._request("PATCH", path, manifest, query=query, content_type=APPLY)

    async def _request(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        request = await self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        code, started = NO_ANSWER, asyncio.get_running_loop().time()
        try:
            response = await self._api.call_api(*request, _request_timeout=REQUEST_TIMEOUT_SECONDS)
            payload = await response.read()
            code = str(response.status)
        except (TimeoutError, OSError, aiohttp.ClientError, client.ApiException) as error:
            said = str(error) or type(error).__name__
            raise UnavailableError(f"{method} {path}: {said}") from error
        finally:
            seconds = asyncio.get_running_loop().time() - started
            self.request_seconds.labels(method, code).observe(seconds)
        if response.status >= HTTP_CLIENT_ERROR:
            raise _error_of(response.status, f"{method} {path}", payload)
        try:
            answer: dict[str, Any] = json.loads(payload)
        except ValueError as error:
            raise UnavailableError(f"{method} {path}: the answer is no JSON") from error
        return answer


def _error_of(status: int, request: str, payload: bytes) -> ClusterError:
    message = f"{request}: {_message_of(payload)} ({status})"
    if status == HTTP_TOO_MANY_REQUESTS or status >= HTTP_SERVER_ERROR:
        return UnavailableError(message)
    return ERRORS.get(status, ClusterError)(message)


def _message_of(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["message"])
    except (ValueError, KeyError, TypeError):
        return payload[:200].decode(errors="replace")


def _skeleton(resource: Body) -> dict[str, Any]:
    metadata = resource["metadata"]
    return {
        "apiVersion": resource["apiVersion"],
        "kind": resource["kind"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
    }
