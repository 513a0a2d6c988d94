"""A KV pool that leaves the rest of a real container too little: vLLM itself refuses to start."""

import pytest

from tests.demo.settings import MIB
from tests.integration.real_engine.short_of_memory import (
    START_SECONDS,
    ask_for_fleet,
    check_remedy,
    examine,
)

pytestmark = pytest.mark.thorough

NAME = "crowded"
# What the resource's own rule lets pass: the limit is above the pool, if only by 256 MiB.
POOL_BYTES, LIMIT = 2304 * MIB, "2560Mi"


def test_it_is_told_with_the_limit_as_the_whole_and_its_remedy_has_the_fleet_serve(box, kube):
    fleet = ask_for_fleet(kube, NAME, pool_bytes=POOL_BYTES, limit=LIMIT)
    told = fleet.wait_condition("Ready", "False", "HostMemoryTooSmall", seconds=START_SECONDS)
    print(told["message"])
    first = examine(box, NAME)["findings"][0]
    assert (first["code"], first["field"]) == ("HostMemoryTooSmall", "engine.kvCacheMemoryBytes")
    assert "of 2.5 GiB of memory are left" in first["cause"]
    assert f"set spec.{first['field']} to {first['value']}" in told["message"]
    check_remedy(box, fleet, first)
