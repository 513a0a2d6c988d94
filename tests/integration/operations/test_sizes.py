"""Sizes that people ask for, and what a shrink does to requests that run."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event

import httpx
import pytest

from tests.integration.operations.fleet import CLIENT_PORT, Fleet
from tests.integration.operations.kube import Object, wait_for
from tests.integration.operations.sampler import Sampler

FLEETS = {
    "manual": {"replicas": 2, "scaling": {"mode": "Manual"}},
    "auto": {"scaling": {"maxReplicas": 3}},
    "closed": {},
    "falling": {
        "scaling": {"minReplicas": 3, "maxReplicas": 3, "scaleDownStabilizationSeconds": 5}
    },
}
CLIENTS = 6
TOKENS = 240
"""Twelve seconds: longer than the ten in which a draining pod still answers everything."""


@dataclass(frozen=True)
class Answered:
    """One request to one pod."""

    began: float
    ended: float
    answer: httpx.Response

    @property
    def whole(self) -> bool:
        """Whether it was answered with every token that was asked for."""
        (choice,) = self.answer.json()["choices"]
        words = choice["message"]["content"].split()
        return choice["finish_reason"] == "length" and len(words) == TOKENS


@dataclass(frozen=True)
class Falling:
    """A fleet that shrinks by itself, and those who ask its Service meanwhile."""

    fleet: Fleet
    sampler: Sampler
    enough: Event
    asked: "list[Future[list[Answered]]]"


@pytest.fixture(scope="module")
def falling(fleets) -> Iterator[Falling]:
    """It goes from 3 to 1 while the other tests of this file run."""
    fleet, enough = fleets["falling"], Event()
    fleet.wait_ready(3)
    url, begin = fleet.url(), fleet.kube.network.begin
    asked = [begin(ask_until_refused, url, enough) for _ in range(CLIENTS)]
    patch = '{"spec": {"scaling": {"minReplicas": 1}}}'
    where = ("-n", fleet.namespace, fleet.name, "--type=merge", "-p", patch)
    fleet.kube.box.kubectl("patch", "vtd", *where)
    try:
        with Sampler(fleet) as sampler:
            yield Falling(fleet, sampler, enough, asked)
    finally:
        enough.set()


def ask_until_refused(base: str, enough: Event) -> list[Answered]:
    """Sends one request after the other, each on its own connection, to the first refused one."""
    done = []
    body = {"messages": [{"role": "user", "content": "word"}], "max_tokens": TOKENS}
    while not enough.is_set():
        began = time.monotonic()
        answer = httpx.post(f"{base}/v1/chat/completions", json=body, timeout=120)
        done.append(Answered(began, time.monotonic(), answer))
        if answer.status_code != httpx.codes.OK:
            break
    return done


def client_url(pod: Object) -> str:
    """Returns where one pod answers its clients."""
    return f"http://{pod['status']['podIP']}:{CLIENT_PORT}"


def scale(fleet: Fleet, replicas: int) -> None:
    """What a person types."""
    words = ("scale", f"vtd/{fleet.name}", "-n", fleet.namespace, f"--replicas={replicas}")
    fleet.kube.box.kubectl(*words)


def in_flight(pods: list[Object]) -> list[float]:
    """Returns how many requests each pod runs, as its own page says."""
    query = "/metrics?name[]=vibethinker_requests_in_flight"
    return [float(ops_page(pod, query).split()[-1]) for pod in pods]


def ops_number(pod: Object, name: str) -> float:
    """Returns the one series of a pod that has no labels."""
    return float(ops_page(pod, f"/metrics?name[]={name}").split()[-1])


def ops_page(pod: Object, path: str) -> str:
    """Returns what a pod's ops port answers."""
    return httpx.get(f"http://{pod['status']['podIP']}:9100{path}", timeout=5).text


def test_scaling_by_hand_moves_a_manual_fleet_and_its_shrink_from_3_to_1_cuts_nothing(
    fleets, operator, falling
):
    manual = fleets["manual"]
    manual.wait_ready(2)
    scale(manual, 3)
    pods = manual.wait_ready(3)
    network, enough = manual.kube.network, Event()
    asked = [network.begin(ask_until_refused, client_url(pod), enough) for pod in pods]
    wait_for(lambda: network.call(in_flight, pods) == [1, 1, 1], "a request in every pod")
    with Sampler(manual) as sampler:
        scale(manual, 1)
        (last,) = manual.wait_ready(1)
    enough.set()
    ends = []
    for pod, future in zip(pods, asked, strict=True):
        answered = future.result()
        good = [each for each in answered if each.answer.status_code == httpx.codes.OK]
        assert good
        assert all(each.whole for each in good)
        if pod["metadata"]["name"] != last["metadata"]["name"]:
            assert answered[-1].answer.headers["x-rejected-reason"] == "draining"
            ends.append(good[-1].ended)
    print(sampler, [len(future.result()) for future in asked])
    assert sampler.replicas == {3, 2, 1}
    # The size fell only once the victim of that step had ended what it ran.
    assert all(end < sampler.first_seen[to] for end, to in zip(sorted(ends), (2, 1), strict=True))
    assert len(manual.events("DrainStarted")) == 2
    assert manual.events("UnexpectedVictim") == []


def test_scaling_an_auto_fleet_by_hand_is_ignored_and_said(fleets, operator):
    fleet = fleets["auto"]
    fleet.wait_ready(1)
    wait_for(fleet.status, "a status")
    scale(fleet, 2)
    (event,) = wait_for(lambda: fleet.events("ReplicasIgnored"), "the Warning")
    assert event["type"] == "Warning"
    assert "scaling.mode is Auto" in event["message"]
    assert fleet.replicas() == 1


def test_the_service_of_a_fleet_carries_no_drain(fleets):
    fleet = fleets["closed"]
    (pod,) = fleet.wait_ready(1)
    network, url = fleet.kube.network, fleet.url()
    assert fleet.begin_chat(url, tokens=1).result().status_code == httpx.codes.OK
    for method in ("POST", "DELETE", "GET"):
        answer = network.call(httpx.request, method, f"{url}/-/drain", timeout=5)
        assert answer.status_code == httpx.codes.NOT_FOUND
    assert network.call(in_flight, [pod]) == [0]
    assert json.loads(network.call(ops_page, pod, "/-/ready"))["phase"] == "Serving"


def test_what_fits_is_what_the_engine_of_its_pod_says(fleets, operator):
    fleet = fleets["closed"]
    (pod,) = fleet.wait_ready(1)

    def look() -> Object:
        fit = dict(fleet.status().get("fit") or {})
        return fit if fit.get("source") == "Measured" else {}

    fit = wait_for(look, "a fit that a pod told")
    names = ("vibethinker_kv_pool_tokens", "vibethinker_kv_token_bytes")
    told = [fleet.kube.network.call(ops_number, pod, name) for name in names]
    assert [fit["tokens"], fit["kvBytesPerToken"]] == told
    assert fit["sequences"] == fit["tokens"] // 4096 > 0
    message = fleet.condition("MemoryLineReachable")["message"]
    assert f"holds {fit['tokens']:,} tokens: {fit['sequences']:,} sequences of 4,096" in message


def test_the_service_carries_nothing_of_the_ops_port(fleets):
    url = fleets["closed"].url()
    network = fleets["closed"].kube.network
    for path in ("/-/fleet", "/-/ready", "/metrics"):
        answer = network.call(httpx.post, url + path, json={}, timeout=5)
        assert answer.status_code == httpx.codes.NOT_FOUND
    with pytest.raises(httpx.TransportError):
        network.call(httpx.get, url.replace(":8000", ":9100") + "/metrics", timeout=3)


def test_a_fleet_that_shrinks_by_itself_refuses_nobody_who_comes_through_its_service(falling):
    fleet = falling.fleet
    fleet.wait_ready(1)
    falling.enough.set()
    answered = [each for client in falling.asked for each in client.result()]
    print(falling.sampler, f"{len(answered)} answers")
    assert len(answered) > CLIENTS
    refusals = [each.answer.headers.get("x-rejected-reason") for each in answered]
    assert set(refusals) == {None}
    assert {each.answer.status_code for each in answered} == {httpx.codes.OK}
    assert all(each.whole for each in answered)
    assert list(falling.sampler.first_seen) == [3, 2, 1]
    assert len(fleet.events("DrainStarted")) == len(fleet.events("ScaledIn")) == 2
    assert fleet.events("UnexpectedVictim") == []
