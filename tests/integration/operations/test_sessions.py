"""Clients that keep nothing, on one replica and on three: known again wherever they come next."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from tests.integration.operations.fleet import CLIENT_PORT, Fleet
from tests.integration.operations.kube import Kube, Object, wait_for

OVERLOAD = {
    "overload": {"policy": "Reject"},
    "saturation": {"sustainedSeconds": 2},
}
FLEETS = {
    "one": OVERLOAD,
    "three": {**OVERLOAD, "scaling": {"minReplicas": 3, "maxReplicas": 3}},
}
CONVERSATIONS = 30
FULL, IDLE = 0.93, 0.0
# Pods ask each other every second, one after the other's answer.
TWO_ROUNDS = 2.5


@pytest.fixture(params=FLEETS)
def pods(request: pytest.FixtureRequest, fleets: dict[str, Fleet]) -> Iterator[list[Object]]:
    """The pods of one fleet, idle; and so they are left."""
    fleet = fleets[request.param]
    ready = fleet.wait_ready(1 if request.param == "one" else 3)
    fleet.set_kv_usage(IDLE, ready)
    yield ready
    fleet.set_kv_usage(IDLE, ready)


def ask(pod: Object, messages: list[dict[str, str]], **more: Any) -> httpx.Response:
    """Sends one request as a client does that keeps no ticket."""
    url = f"http://{pod['status']['podIP']}:{CLIENT_PORT}/v1/chat/completions"
    return httpx.post(url, json={"messages": messages, "max_tokens": 5, **more}, timeout=30)


def open_conversation(pod: Object, number: int) -> list[dict[str, str]]:
    """Returns a conversation of one question and its answer."""
    question = {"role": "user", "content": f"question {number}"}
    answer = ask(pod, [question])
    assert answer.status_code == 200, answer.text
    return [question, dict(answer.json()["choices"][0]["message"])]


def follow_up(pod: Object, conversation: list[dict[str, str]]) -> int:
    """Returns the status of one more question."""
    return ask(pod, [*conversation, {"role": "user", "content": "and then?"}]).status_code


def refuses_newcomers(pod: Object) -> bool:
    """Tells whether a stranger is refused."""
    return ask(pod, [{"role": "user", "content": "a stranger's"}]).status_code == 429


def test_a_follow_up_is_served_wherever_it_lands_while_strangers_are_refused(
    kube: Kube, fleets: dict[str, Fleet], operator: Any, pods: list[Object]
):
    network = kube.network
    fleet = fleets["one" if len(pods) == 1 else "three"]
    with ThreadPoolExecutor(8) as people:

        def begin(number: int) -> list[dict[str, str]]:
            return network.call(open_conversation, pods[number % len(pods)], number)

        conversations = list(people.map(begin, range(CONVERSATIONS)))
        time.sleep(TWO_ROUNDS)
        fleet.set_kv_usage(FULL, pods)
        for pod in pods:
            wait_for(partial(network.call, refuses_newcomers, pod), "a refusal")

        def come_back(number: int) -> int:
            return network.call(follow_up, pods[(number + 1) % len(pods)], conversations[number])

        statuses = list(people.map(come_back, range(CONVERSATIONS)))
    recognised = statuses.count(200) / CONVERSATIONS
    print(f"{len(pods)} replicas: {recognised:.0%} of {CONVERSATIONS} follow-ups known")
    assert set(statuses) <= {200, 429}
    assert recognised >= (1.0 if len(pods) == 1 else 0.95)
