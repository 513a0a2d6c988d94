"""The table of hostile requests over real sockets to real engines, and what these got of it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from vibethinker_server.admission import KNOWN_PRIORITY, NEWCOMER_PRIORITY

from tests.e2e.arrivals import Arrival, read_arrivals
from tests.e2e.engine_process import EngineProcess, values
from tests.e2e.raw_client import Answer, answer_of
from tests.e2e.real_engine import broken
from tests.e2e.real_llama import LLAMA
from tests.support.hostile_requests import (
    APP_POLICY,
    CODE,
    COMPLETIONS,
    HOSTILE,
    POLICY,
    PRESET,
    RAW,
    UNDER_PROFILES,
    USER,
    Hostile,
    chat,
)

CASES = [
    *((POLICY, one) for one in HOSTILE),
    *((APP_POLICY, one) for one in UNDER_PROFILES),
]
PRESETS = ("app", "drop")
# llama.cpp has nothing of the kind: who asks for it is told so.
NOT_OF_LLAMA = ("min_tokens",)
ERRORS = "vibethinker_server_errors_total"


@dataclass
class Tally:
    """What the table came to, counted before anything is asserted."""

    errors_before: float
    arrived_before: int
    statuses: list[int] = field(default_factory=list)
    expected: int = 0
    past_a_cap: int = 0
    leaked: int = 0


def own_errors(engine: EngineProcess) -> float:
    page = values(engine.client.get(engine.ops(f"/metrics?name[]={ERRORS}")).text)
    return sum(page.values())


def as_offered(hostile: Hostile, engine: EngineProcess) -> Hostile:
    """Returns what this engine's server makes of it."""
    asked = [key for key in NOT_OF_LLAMA if key in (hostile.engine or {})]
    if engine.backend is not LLAMA or not asked:
        return hostile
    return replace(hostile, status=400, param=asked[0], engine=None)


@pytest.fixture(scope="module")
def tally(started_server: tuple[EngineProcess, list[str]]) -> Tally:
    engine, _ = started_server
    return Tally(own_errors(engine), len(read_arrivals(engine)))


def expected_prompts(hostile: Hostile) -> list[str]:
    """Returns the text of each sequence, control tokens of the chat template included."""
    seen, sent = hostile.engine or {}, json.loads(hostile.body)
    texts: list[str]
    if hostile.path == COMPLETIONS:
        prompts = seen.get("prompt", sent.get("prompt", RAW))
        texts = prompts if isinstance(prompts, list) else [prompts]
    else:
        turns = seen.get("messages") or seen.get("input") or USER
        said = (f"<|im_start|>{one['role']}\n{one['content']}<|im_end|>\n" for one in turns)
        texts = ["".join(said) + "<|im_start|>assistant\n"]
    return texts * int(sent.get("n", 1))


def check_arrivals(hostile: Hostile, arrivals: list[Arrival], answer: Answer) -> None:
    seen = hostile.engine or {}
    limit = int(answer.headers["x-token-limit"])
    written = (seen.get(key, limit) for key in ("max_tokens", "max_output_tokens"))
    assert {one.max_tokens for one in arrivals} == {limit} == set(written)
    assert {one.min_tokens for one in arrivals} == {seen.get("min_tokens", 0)}
    assert {one.priority for one in arrivals} <= {KNOWN_PRIORITY, NEWCOMER_PRIORITY}
    assert {one.answers for one in arrivals} == {1}
    assert {one.session for one in arrivals} == {None}
    assert [one.closed for one in arrivals if one.closed] == []


def check_preset(hostile: Hostile, arrivals: list[Arrival], answer: Answer) -> None:
    """Holds a preset to its place: first and once under its own profiles, and nowhere else."""
    preset = f"<|im_start|>system\n{PRESET}<|im_end|>\n<|im_start|>"
    for one in arrivals:
        own = answer.headers["x-profile"] in PRESETS
        assert one.prompt.startswith(preset) is own
        assert one.prompt.count(PRESET) == own


def check_error(hostile: Hostile, answer: Answer) -> None:
    error = json.loads(answer.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"].startswith("Use " if hostile.status == 405 else "")
    assert error["message"]
    assert error["param"] == hostile.param


@pytest.mark.parametrize(
    ("policy", "hostile"), [pytest.param(policy, one, id=one.what) for policy, one in CASES]
)
def test_nobody_gets_around_the_contract(
    server: EngineProcess, tally: Tally, policy: dict[str, Any], hostile: Hostile
):
    server.sweep(policy)
    hostile = as_offered(hostile, server)
    before = len(read_arrivals(server))
    answer = answer_of(server, hostile)
    arrivals = read_arrivals(server)[before:]
    prompts = [] if hostile.engine is None else expected_prompts(hostile)
    cap = policy["tokenLimits"].get(answer.headers.get("x-task"), 0)
    asked = sum(one.max_tokens * one.answers for one in arrivals)
    leaks = PRESET in str(answer.headers) + answer.body.decode()
    tally.statuses.append(answer.status)
    tally.expected += len(prompts)
    tally.past_a_cap += max(asked, answer.used_tokens) > cap
    tally.leaked += leaks

    assert answer.status == hostile.status, answer.body
    assert dict(hostile.answer).items() <= answer.headers.items()
    assert answer.headers["x-served-by"] == "pod-under-test"
    assert sorted(one.prompt for one in arrivals) == sorted(prompts)
    assert max(asked, answer.used_tokens) <= cap
    assert not leaks
    if answer.status == 200:
        check_arrivals(hostile, arrivals, answer)
        check_preset(hostile, arrivals, answer)
    elif hostile.method != "HEAD":
        check_error(hostile, answer)


def test_an_error_of_the_engine_itself_does_not_tell_the_preset(
    server: EngineProcess, tally: Tally
):
    server.sweep(APP_POLICY)
    long = [{"role": "user", "content": "?" * 5000}]
    answer = answer_of(
        server, Hostile(what="longer than the context", body=chat(messages=long), status=400)
    )
    assert answer.status == 400
    assert "4096" in json.loads(answer.body)["error"]["message"]  # the engine's own words
    assert PRESET not in answer.body.decode()
    # vLLM's front counts tokens before its engine gets a request; llama-server has no front.
    tally.expected += server.backend is LLAMA


def test_the_table_comes_to_nothing(
    server: EngineProcess, tally: Tally, capsys: pytest.CaptureFixture[str]
):
    failed = sum(status >= 500 for status in tally.statuses)
    # Whatever a refused request left behind would have come to the engine by now.
    arrived = len(read_arrivals(server)) - tally.arrived_before
    with capsys.disabled():
        print(
            f"\nhostile requests: {len(tally.statuses)} tried on real {server.backend.name},"
            f" {tally.statuses.count(200)} let through as {arrived} sequences,"
            f" {failed} answered 5xx, {tally.past_a_cap} past a cap, {tally.leaked} presets told"
        )
    assert (failed, tally.past_a_cap, tally.leaked) == (0, 0, 0)
    assert arrived == tally.expected
    assert own_errors(server) == tally.errors_before


def test_a_cap_that_does_not_hold_would_be_seen(server: EngineProcess):
    server.sweep(POLICY)
    beyond = Hostile(what="beyond its cap", body=chat(max_tokens=CODE + 1), status=200)
    with broken(server, "caps"):
        assert answer_of(server, beyond).used_tokens == CODE + 1
    assert read_arrivals(server)[-1].max_tokens == CODE + 1
