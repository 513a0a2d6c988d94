"""Requests to the Kubernetes API over a real connection: what is sent, and every bad answer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from kubernetes.aio import client
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.errors import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)

from tests.unit.operating.builders import make_body, make_deployment
from tests.unit.operating.pods import Handler, serve, speak

RESOURCE = make_body()
DEPLOYMENT = make_deployment(RESOURCE, 2)
CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "chat-policy", "namespace": "team"},
}
PATH = "/api/v1/namespaces/team/configmaps"


class Api:
    """Answers every request with one answer, and remembers what was asked."""

    def __init__(self, answer: Any = None, status: int = 200) -> None:
        self.asked: list[tuple[str, str, dict[str, str], str, Any]] = []
        self._answer = web.json_response({} if answer is None else answer, status=status)

    async def __call__(self, request: web.Request) -> web.Response:
        body = await request.text()
        asked = (request.method, request.path, dict(request.query), request.content_type)
        self.asked.append((*asked, json.loads(body) if body else None))
        return self._answer


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Cluster]:
    cluster = Cluster(client.ApiClient(client.Configuration(host=url)))
    try:
        yield cluster
    finally:
        await cluster.close()


@asynccontextmanager
async def against(api: Handler) -> AsyncIterator[Cluster]:
    async with serve(api) as target, connect(target.url) as cluster:
        yield cluster


async def test_an_object_is_read_by_its_name():
    api = Api(CONFIG_MAP)
    async with against(api) as cluster:
        assert await cluster.read(CONFIG_MAP) == CONFIG_MAP
    assert api.asked[0][:2] == ("GET", f"{PATH}/chat-policy")


async def test_what_is_not_there_is_none_and_no_error():
    async with against(Api({"message": "not found"}, 404)) as cluster:
        assert await cluster.read(CONFIG_MAP) is None


async def test_creating_says_whether_it_was_there_already():
    api = Api(CONFIG_MAP, 201)
    async with against(api) as cluster:
        assert await cluster.create(CONFIG_MAP)
    assert api.asked == [
        ("POST", PATH, {"fieldManager": "vibethinker-operator"}, "application/json", CONFIG_MAP)
    ]
    async with against(Api({"message": "exists"}, 409)) as cluster:
        assert not await cluster.create(CONFIG_MAP)


@pytest.mark.parametrize("force", [False, True])
async def test_an_apply_takes_foreign_fields_only_by_force(force: bool):
    api = Api()
    async with against(api) as cluster:
        await cluster.apply(CONFIG_MAP, force=force)
    query = {"fieldManager": "vibethinker-operator", "force": str(force).lower()}
    assert api.asked == [
        ("PATCH", f"{PATH}/chat-policy", query, "application/apply-patch+yaml", CONFIG_MAP)
    ]


async def test_replicas_are_written_to_scale_by_a_manager_of_their_own_at_a_version():
    api = Api()
    async with against(api) as cluster:
        await cluster.apply_replicas(DEPLOYMENT, 3, "70")
    ((method, path, query, _, body),) = api.asked
    assert (method, path) == ("PATCH", "/apis/apps/v1/namespaces/team/deployments/chat/scale")
    assert query["fieldManager"] == "vibethinker-scaler"
    assert (body["spec"], body["metadata"]["resourceVersion"]) == ({"replicas": 3}, "70")


async def test_the_status_is_applied_alone():
    api = Api()
    async with against(api) as cluster:
        await cluster.apply_status(RESOURCE, {"replicas": 2})
    ((_, path, _, _, body),) = api.asked
    assert path.endswith("/namespaces/team/vibethinkerdeployments/chat/status")
    assert "spec" not in body
    assert body["status"] == {"replicas": 2}
    assert set(body["metadata"]) == {"name", "namespace"}


async def test_annotations_are_merged_and_none_takes_one_off():
    api = Api()
    async with against(api) as cluster:
        await cluster.annotate(CONFIG_MAP, {"a": "1", "b": None})
    ((_, _, _, content_type, body),) = api.asked
    assert content_type == "application/merge-patch+json"
    assert body == {"metadata": {"annotations": {"a": "1", "b": None}}}


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ClusterError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, ClusterError),
        (429, UnavailableError),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
async def test_a_refusal_is_told_in_the_apis_own_words(status: int, error: type[ClusterError]):
    async with against(Api({"message": "exceeded quota"}, status)) as cluster:
        with pytest.raises(ClusterError) as caught:
            await cluster.apply(CONFIG_MAP, force=False)
    assert type(caught.value) is error
    assert str(caught.value) == f"PATCH {PATH}/chat-policy: exceeded quota ({status})"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", id="hangs up half way"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="not http"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", id="a web page"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", id="nothing"),
    ],
)
async def test_an_api_that_is_on_its_way_down_is_unavailable(said: bytes):
    async with speak(said) as target, connect(target.url) as cluster:
        with pytest.raises(UnavailableError, match=f"GET {PATH}/chat-policy: .+"):
            await cluster.read(CONFIG_MAP)


async def test_nobody_at_the_address_is_unavailable():
    async with speak(b"") as target:
        pass
    async with connect(target.url) as cluster:
        with pytest.raises(UnavailableError):
            await cluster.read(CONFIG_MAP)


async def test_an_error_page_that_is_no_json_is_quoted():
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="upstream connect error", status=503)

    async with against(answer) as cluster:
        with pytest.raises(UnavailableError, match="upstream connect error"):
            await cluster.read(CONFIG_MAP)


async def test_requests_are_counted_by_method_and_answered_code():
    async with against(Api({"message": "not found"}, 404)) as cluster:
        await cluster.read(CONFIG_MAP)
        assert counted(cluster) == {("GET", "404"): 1}
    async with against(Api(CONFIG_MAP, 201)) as cluster:
        await cluster.create(CONFIG_MAP)
        assert counted(cluster) == {("POST", "201"): 1}
    async with speak(b"") as target:
        pass
    async with connect(target.url) as cluster:
        with pytest.raises(UnavailableError):
            await cluster.read(CONFIG_MAP)
        assert counted(cluster) == {("GET", "none"): 1}


def counted(cluster: Cluster) -> dict[tuple[str, str], float]:
    """Requests by method and code."""
    samples = (s for family in cluster.request_seconds.collect() for s in family.samples)
    name = "vibethinker_operator_api_request_duration_seconds_count"
    return {(s.labels["method"], s.labels["code"]): s.value for s in samples if s.name == name}
