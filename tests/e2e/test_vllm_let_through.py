"""Requests that our door lets through, of the table that it is held to: the engine takes them too.

The allow-list of keys and their bounds is ours, and vLLM has its own idea of every one of them.
"""

from typing import Any

import pytest

from tests.e2e.engine_process import EngineProcess
from tests.e2e.test_hostile_requests import CASES, answer_of
from tests.support.hostile_requests import Hostile

# A token for each of eight answers, and the whole table takes seconds.
SHORT = {"tokenLimits": {"math": 12, "code": 16, "qa": 8}}
LET_THROUGH = [case for case in CASES if case[1].status == 200]


@pytest.mark.parametrize(
    ("policy", "request_"), [pytest.param(*case, id=case[1].what) for case in LET_THROUGH]
)
def test_what_is_let_through_is_answered(
    vllm: EngineProcess, policy: dict[str, Any], request_: Hostile
):
    vllm.sweep({**policy, **SHORT})
    status, _, body = answer_of(vllm, request_)
    assert status == 200, body
