"""Events as `kubectl describe` shows them."""

import re

import pytest
from vibethinker_operator.events import MESSAGE_LIMIT, Notice, build_event

from tests.unit.operating.builders import START, make_body
from tests.unit.operator_api.resource import UID

NOTICE = Notice("Warning", "Unschedulable", "pod chat-a: 0/3 nodes are available")
DNS_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def test_an_event_is_about_the_resource_in_its_namespace():
    event = build_event(make_body(), NOTICE, START)
    assert (event["type"], event["reason"]) == ("Warning", "Unschedulable")
    assert event["message"] == "pod chat-a: 0/3 nodes are available"
    assert event["metadata"]["namespace"] == "team"
    assert event["involvedObject"] == {
        "apiVersion": "vibethinker.io/v1alpha1",
        "kind": "VibeThinkerDeployment",
        "name": "chat",
        "namespace": "team",
        "uid": UID,
    }
    assert event["firstTimestamp"] == event["lastTimestamp"] == "2027-01-15T08:00:00Z"
    assert event["source"] == {"component": "vibethinker-operator"}


@pytest.mark.parametrize("name", ["a", "chat", "a" * 40])
def test_its_name_is_one_that_kubernetes_takes(name: str):
    event = build_event(make_body(name=name), NOTICE, START + 0.123456)
    assert DNS_NAME.fullmatch(event["metadata"]["name"])
    assert len(event["metadata"]["name"]) <= 253


def test_two_of_the_same_kind_in_one_tick_are_two_events():
    others = [Notice("Normal", "DrainUndone", f"chat-{pod} serves again") for pod in "ab"]
    names = {build_event(make_body(), notice, START)["metadata"]["name"] for notice in others}
    assert len(names) == 2


def test_the_same_a_microsecond_later_is_another():
    names = {build_event(make_body(), NOTICE, START + n / 1e6)["metadata"]["name"] for n in (0, 2)}
    assert len(names) == 2


@pytest.mark.parametrize("message", ["x" * 5000, "显" * 5000, "a" + "é" * 600])
def test_a_long_message_is_cut_to_the_bytes_that_the_api_takes(message: str):
    event = build_event(make_body(), Notice("Normal", "Serving", message), START)
    size = len(event["message"].encode())
    assert MESSAGE_LIMIT - 4 < size <= MESSAGE_LIMIT
    assert message.startswith(event["message"])
