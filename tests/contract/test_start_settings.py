"""A start without Kubernetes on a machine with room is the pod of `spec: {}`."""

import json
from dataclasses import replace
from typing import Any

from vibethinker_operator.api import parse_deployment
from vibethinker_operator.resources import render_policy
from vibethinker_operator.resources.engine_settings import render_engine_settings
from vibethinker_server.one_click.options import StartOptions
from vibethinker_server.one_click.settings import choose_settings
from vibethinker_server.policy_document import parse_policy
from vibethinker_server.serve import DEFAULT_POLICY

from tests.support.machines import GPU_MACHINE

# A process on a machine has ports and an end of its own.
APART = {"port", "opsPort", "drainSeconds", "flags"}


def default_resource() -> Any:
    metadata = {"name": "chat", "namespace": "team", "uid": "u", "generation": 0}
    return parse_deployment({"metadata": metadata, "spec": {}})


def test_the_engine_runs_as_in_the_default_pod():
    pod = {"backend": "VLLM"} | render_engine_settings(default_resource().spec)
    here = choose_settings(GPU_MACHINE, StartOptions()).model_dump(mode="json", by_alias=True)
    assert {k: v for k, v in here.items() if k not in APART} == {
        k: v for k, v in pod.items() if k not in APART
    }
    assert pod["flags"] == {}
    assert set(here["flags"].values()) == {None}


def test_the_built_in_policy_is_the_default_resources():
    policy = parse_policy(json.dumps(render_policy(default_resource())))
    # Which model a start serves, its own settings say.
    assert replace(policy, repository="") == DEFAULT_POLICY
