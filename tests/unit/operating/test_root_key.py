"""The one secret: made once, read ever after, never silently another."""

import base64

import pytest
from vibethinker_operator.errors import ClusterError, ForbiddenError, UnavailableError
from vibethinker_operator.root_key import ensure_root_key

from tests.unit.operating.builders import Body, FakeCluster, failing

KEY = bytes(range(32))


def make_secret(data: Body | None) -> Body:
    metadata = {"name": "vibethinker-operator-root", "namespace": "ops"}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    return body if data is None else body | {"data": data}


def encode(key: bytes) -> Body:
    return {"root-key": base64.b64encode(key).decode()}


async def test_the_first_start_makes_it_and_every_other_reads_the_same():
    cluster = FakeCluster()
    first = await ensure_root_key(cluster, "ops")
    assert len(first) == 32
    assert await ensure_root_key(cluster, "ops") == first
    assert cluster.done("create") == ["Secret"]
    assert cluster.objects["Secret", "vibethinker-operator-root"]["metadata"]["namespace"] == "ops"


async def test_two_installations_have_two_keys():
    keys = [await ensure_root_key(FakeCluster(), "ops") for _ in range(2)]
    assert keys[0] != keys[1]


async def test_one_that_is_there_is_never_replaced():
    cluster = FakeCluster(make_secret(encode(KEY)))
    assert await ensure_root_key(cluster, "ops") == KEY
    assert cluster.done("create") == []


async def test_of_two_that_start_together_both_use_the_one_that_was_made():
    class Race(FakeCluster):
        async def create(self, manifest):
            self.objects.setdefault(("Secret", manifest["metadata"]["name"]), SOMEBODYS)
            return await super().create(manifest)

    SOMEBODYS = make_secret(encode(KEY))  # noqa: N806 (a constant of this test)
    assert await ensure_root_key(Race(), "ops") == KEY


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="no data"),
        pytest.param({}, id="no key"),
        pytest.param({"root-key": ""}, id="empty"),
        pytest.param(encode(KEY[:31]), id="short"),
    ],
)
async def test_a_secret_without_a_usable_key_says_what_to_do(data: Body | None):
    with pytest.raises(ClusterError, match="ops/vibethinker-operator-root has no root-key of at"):
        await ensure_root_key(FakeCluster(make_secret(data)), "ops")


@pytest.mark.parametrize("call", ["read", "create"])
async def test_an_api_that_refuses_stops_the_start(call: str):
    cluster = FakeCluster()
    cluster.fail = failing(call, ForbiddenError("secrets is forbidden"))
    with pytest.raises(ForbiddenError):
        await ensure_root_key(cluster, "ops")
    cluster.fail = failing(call, UnavailableError("no answer"))
    with pytest.raises(UnavailableError):
        await ensure_root_key(cluster, "ops")
