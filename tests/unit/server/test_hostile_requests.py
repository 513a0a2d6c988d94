"""The contract against people who try to get around it: the table, and what chance finds."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vibethinker_server.middleware import VibeThinkerMiddleware
from vibethinker_server.policy_document import parse_policy
from vibethinker_server.routes import ROUTES

from tests.support.hostile_requests import (
    APP_POLICY,
    CHAT,
    COMPLETIONS,
    HOSTILE,
    POLICY,
    PRESET,
    RESPONSES,
    SERVED_NAME,
    UNDER_PROFILES,
    Hostile,
)
from tests.support.recording_engine import RecordingEngine, ask
from tests.support.server_runtime import Rig, make_rig

LENGTHS = {CHAT: "max_completion_tokens", COMPLETIONS: "max_tokens", RESPONSES: "max_output_tokens"}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return make_rig(tmp_path, parse_policy(json.dumps(POLICY)))


@pytest.mark.parametrize("hostile", [pytest.param(one, id=one.what) for one in HOSTILE])
async def test_nobody_gets_around_the_contract(rig: Rig, hostile: Hostile):
    await try_one(rig, hostile)


@pytest.mark.parametrize("hostile", [pytest.param(one, id=one.what) for one in UNDER_PROFILES])
async def test_nobody_gets_around_a_profile(tmp_path: Path, hostile: Hostile):
    await try_one(make_rig(tmp_path, parse_policy(json.dumps(APP_POLICY))), hostile)


async def try_one(rig: Rig, hostile: Hostile) -> None:
    engine = RecordingEngine()
    answer = await ask(VibeThinkerMiddleware(engine, rig.runtime), hostile)
    assert answer.status == hostile.status, answer.body
    assert hostile.status == 200 or answer.error["param"] == hostile.param
    assert dict(hostile.answer).items() <= answer.headers.items()
    if hostile.engine is None:
        assert engine.bodies == []
        return
    (body,) = engine.bodies
    assert {key: body.get(key) for key in hostile.engine} == hostile.engine
    assert not set(hostile.hidden) & body.keys()
    assert rig.runtime.errors.counts() == {}


def test_the_table_names_each_trial_once_and_tries_every_way_to_generate():
    for table in (HOSTILE, UNDER_PROFILES):
        assert len({one.what for one in table}) == len(table)
    assert {path for path, route in ROUTES.items() if route.api} <= {one.path for one in HOSTILE}


def test_no_error_repeats_what_was_sent_at_length():
    assert all(len(one.param or "") < 100 for one in HOSTILE)


# `make fuzz` draws more.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))

texts = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["<|im_start|>system", "user", "system", "assistant", "text", "math", SERVED_NAME]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
lengths = st.integers(-1, 2**65) | st.none() | values
messages = st.lists(st.fixed_dictionaries({"role": texts, "content": texts | values}), max_size=4)
conversations: dict[str, dict[str, Any]] = {
    CHAT: {"messages": messages},
    COMPLETIONS: {"prompt": texts | st.lists(texts, max_size=9)},
    RESPONSES: {"input": texts | messages},
}
MAYBE: dict[str, Any] = {
    "model": st.just(SERVED_NAME) | texts,
    "max_tokens": lengths,
    "max_completion_tokens": lengths,
    "max_output_tokens": lengths,
    "min_tokens": lengths,
    "n": st.integers(0, 9) | values,
    "task": st.sampled_from(["math", "code", "qa"]) | values,
    "best_of": values,
    "stop": values,
    "tools": values,
    "temperature": values,
}


@st.composite
def requests(draw: st.DrawFn) -> Hostile:
    path = draw(st.sampled_from(sorted(LENGTHS)))
    drawn = draw(st.fixed_dictionaries(conversations[path], optional=MAYBE))
    extra = draw(st.dictionaries(texts, values, max_size=1))
    wanted = draw(st.sets(st.sampled_from(sorted(drawn | extra)), max_size=5))
    body = {key: (drawn | extra)[key] for key in wanted | conversations[path].keys()}
    return Hostile(what="chance", path=path, body=json.dumps(body).encode(), status=0)


def cost_of(path: str, body: dict[str, Any]) -> int:
    prompt = body.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) else 1
    return int(body[LENGTHS[path]] * body.get("n", 1) * prompts)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(requests())
async def test_whatever_is_sent_no_answer_may_cost_more_than_its_cap(rig: Rig, hostile: Hostile):
    engine = RecordingEngine()
    answer = await ask(VibeThinkerMiddleware(engine, rig.runtime), hostile)
    assert rig.runtime.errors.counts() == {}  # nothing of ours raised
    if not engine.bodies:
        assert answer.status in (400, 404)
        assert answer.error["message"]
        return
    (body,) = engine.bodies
    cap = POLICY["tokenLimits"][answer.headers["x-task"]]
    assert 1 <= cost_of(hostile.path, body) <= cap
    assert body.get("min_tokens", 0) <= body[LENGTHS[hostile.path]]
    assert "<|im_start|>" not in json.dumps(body.get("messages") or body.get("input") or "")
    roles = [one["role"] for one in body.get("messages") or body.get("input") or []]
    assert "system" not in roles[1:]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(requests(), st.sampled_from(["app", "drop"]))
async def test_whatever_is_sent_the_preset_comes_first_and_once(
    tmp_path: Path, hostile: Hostile, profile: str
):
    rig = make_rig(tmp_path, parse_policy(json.dumps(APP_POLICY)))
    engine = RecordingEngine()
    app = VibeThinkerMiddleware(engine, rig.runtime)
    await ask(app, replace(hostile, headers=(("x-profile", profile),)))
    assert rig.runtime.errors.counts() == {}
    for body in engine.bodies:
        first, *others = body.get("messages") or body["input"]
        assert first == {"role": "system", "content": PRESET}
        assert others
        assert {one["role"] for one in others} <= {"user", "assistant"}
