"""What keeps the operator from beginning, said so that somebody can mend it."""

import pytest
from aiohttp import web
from kubernetes.aio import client
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.errors import ClusterError, ForbiddenError, UnavailableError
from vibethinker_operator.start_check import require_resources

from tests.unit.operating.pods import serve

EVERYWHERE = "/apis/vibethinker.io/v1alpha1/vibethinkerdeployments"
TEAM = "/apis/vibethinker.io/v1alpha1/namespaces/team/vibethinkerdeployments"
OPS = "/apis/vibethinker.io/v1alpha1/namespaces/ops/vibethinkerdeployments"


async def check(answers: dict[str, int], *namespaces: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"message": "says the API server"}, status=answers[request.path])

    async with serve(answer) as target:
        cluster = Cluster(client.ApiClient(client.Configuration(host=target.url)))
        try:
            await require_resources(cluster, namespaces)
        finally:
            await cluster.close()


async def test_one_that_may_list_what_it_is_to_watch_begins():
    await check({EVERYWHERE: 200})
    await check({TEAM: 200, OPS: 200}, "team", "ops")


async def test_a_missing_definition_is_named_with_the_command_that_brings_it():
    with pytest.raises(ClusterError) as caught:
        await check({EVERYWHERE: 404})
    said = str(caught.value)
    assert "no CustomResourceDefinition vibethinkerdeployments.vibethinker.io" in said
    assert "kubectl apply --server-side -f manifests/crd" in said


async def test_a_namespace_without_rights_is_named():
    with pytest.raises(ForbiddenError) as caught:
        await check({TEAM: 200, OPS: 403}, "team", "ops")
    said = str(caught.value)
    assert "VIBETHINKER_NAMESPACES names ops" in said
    assert "watchNamespaces" in said
    assert "says the API server" in said


async def test_rights_that_do_not_reach_every_namespace_are_named():
    with pytest.raises(ForbiddenError, match="in every namespace"):
        await check({EVERYWHERE: 403})


async def test_an_api_server_that_is_away_is_not_taken_for_a_missing_definition():
    with pytest.raises(UnavailableError):
        await check({EVERYWHERE: 503})
