from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server import names
from vibethinker_server.admission import (
    KNOWN_PRIORITY,
    NEWCOMER_PRIORITY,
    Admitted,
    Facts,
    Rejected,
    admit,
)
from vibethinker_server.fleet import Verdict
from vibethinker_server.load import Load
from vibethinker_server.policy import Growth, OverloadPolicy

from tests.support.server_runtime import make_policy

CALM = Facts(
    known=False,
    answering=True,
    draining_seconds=None,
    line_crossed=False,
    queue_length=0,
    finished_per_second=2.0,
)
HIGH = Load(memory_used_ratio=0.8, kv_usage_ratio=0.8)
UNKNOWN = Load()
LET_IN, REFUSED, WOULD = "let in", "refused", "would be refused"


def verdict(growth: Growth) -> Verdict:
    return Verdict(growth, relief_seconds=None, move_connections=False)


def judge(
    policy: OverloadPolicy = OverloadPolicy.SCALE_OUT_THEN_REJECT,
    growth: Growth = Growth.CANNOT_GROW,
    load: Load = HIGH,
    **facts: Any,
) -> Admitted | Rejected:
    return admit(make_policy(policy), verdict(growth), load, replace(CALM, **facts))


def outcome(answer: Admitted | Rejected) -> str:
    if isinstance(answer, Rejected):
        return REFUSED
    return WOULD if answer.would_reject else LET_IN


TABLE = {
    (OverloadPolicy.REJECT, Growth.CAN_GROW): REFUSED,
    (OverloadPolicy.REJECT, Growth.CANNOT_GROW): REFUSED,
    (OverloadPolicy.REJECT, Growth.NOT_OURS): REFUSED,
    (OverloadPolicy.SCALE_OUT_THEN_REJECT, Growth.CAN_GROW): LET_IN,
    (OverloadPolicy.SCALE_OUT_THEN_REJECT, Growth.CANNOT_GROW): REFUSED,
    (OverloadPolicy.SCALE_OUT_THEN_REJECT, Growth.NOT_OURS): WOULD,
    (OverloadPolicy.SCALE_OUT, Growth.CAN_GROW): LET_IN,
    (OverloadPolicy.SCALE_OUT, Growth.CANNOT_GROW): LET_IN,
    (OverloadPolicy.SCALE_OUT, Growth.NOT_OURS): LET_IN,
}


@pytest.mark.parametrize("policy", OverloadPolicy)
@pytest.mark.parametrize("growth", Growth)
@pytest.mark.parametrize("crossed", [True, False])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("load", [HIGH, UNKNOWN], ids=["load known", "load unknown"])
def test_the_memory_line_by_policy_and_lease(
    policy: OverloadPolicy, growth: Growth, crossed: bool, known: bool, load: Load
):
    answer = judge(policy, growth, load, line_crossed=crossed, known=known)
    acts = crossed and not known and load is HIGH
    assert outcome(answer) == (TABLE[policy, growth] if acts else LET_IN)
    if isinstance(answer, Rejected):
        assert (answer.status, answer.reason) == (429, names.REASON_MEMORY_LINE)
    if outcome(answer) == WOULD:
        assert answer == Admitted(NEWCOMER_PRIORITY, names.REASON_MEMORY_LINE)


def test_known_sessions_go_before_newcomers():
    assert judge(known=True) == Admitted(KNOWN_PRIORITY)
    assert judge(known=False) == Admitted(NEWCOMER_PRIORITY)
    assert KNOWN_PRIORITY < NEWCOMER_PRIORITY  # vLLM runs the lower number first


@pytest.mark.parametrize("policy", OverloadPolicy)
@pytest.mark.parametrize("growth", Growth)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("load", [HIGH, UNKNOWN], ids=["load known", "load unknown"])
@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"kv_fits": False}, names.REASON_KV_HEADROOM),
        ({"first_token_seconds": 3.1}, names.REASON_FIRST_TOKEN),
        ({"kv_fits": False, "first_token_seconds": 9.0}, names.REASON_KV_HEADROOM),
    ],
)
def test_who_does_not_fit_or_would_wait_too_long_by_policy_and_lease(
    *,
    policy: OverloadPolicy,
    growth: Growth,
    known: bool,
    load: Load,
    facts: dict[str, Any],
    reason: str,
):
    answer = judge(policy, growth, load, known=known, **facts)
    assert outcome(answer) == (LET_IN if known else TABLE[policy, growth])
    if isinstance(answer, Rejected):
        assert (answer.status, answer.reason) == (429, reason)
    if outcome(answer) == WOULD:
        assert answer == Admitted(NEWCOMER_PRIORITY, reason)


@pytest.mark.parametrize(
    ("predicted", "objective", "expected"),
    [(None, 1.0, LET_IN), (0.0, 1.0, LET_IN), (0.62, 1.0, LET_IN), (0.63, 1.0, REFUSED)],
)
def test_the_first_token_must_be_likely_within_what_the_profile_says(
    predicted: float | None, objective: float, expected: str
):
    answer = judge(load=HIGH, first_token_seconds=predicted, objective_seconds=objective)
    assert outcome(answer) == expected


@pytest.mark.parametrize(("predicted", "retry_after"), [(0.9, 0.0), (1.5, 0.5)])
def test_who_would_be_late_comes_back_when_it_would_not(predicted: float, retry_after: float):
    answer = judge(load=HIGH, first_token_seconds=predicted, objective_seconds=1.0)
    assert isinstance(answer, Rejected)
    assert answer.retry_after_seconds == pytest.approx(retry_after)


@pytest.mark.parametrize("policy", OverloadPolicy)
@pytest.mark.parametrize("growth", Growth)
def test_the_hard_line_holds_under_every_policy_and_lease(policy: OverloadPolicy, growth: Growth):
    full = Load(kv_usage_ratio=0.95)
    answer = judge(policy, growth, full)
    assert isinstance(answer, Rejected)
    assert (answer.status, answer.reason) == (429, names.REASON_HARD_LINE)
    assert outcome(judge(policy, growth, full, known=True)) == LET_IN
    assert outcome(judge(policy, growth, Load(kv_usage_ratio=0.949))) == LET_IN


@pytest.mark.parametrize("policy", OverloadPolicy)
@pytest.mark.parametrize("load", [HIGH, UNKNOWN], ids=["load known", "load unknown"])
@pytest.mark.parametrize(
    ("known", "queue", "expected"),
    [
        (False, 64, LET_IN),
        (False, 65, REFUSED),
        (True, 65, LET_IN),
        (True, 128, LET_IN),
        (True, 129, REFUSED),
    ],
)
def test_the_queue_is_bounded_for_everybody_and_twice_as_long_for_known_sessions(
    policy: OverloadPolicy, load: Load, known: bool, queue: int, expected: str
):
    answer = judge(policy, load=load, known=known, queue_length=queue)
    assert outcome(answer) == expected
    if isinstance(answer, Rejected):
        assert (answer.status, answer.reason) == (429, names.REASON_QUEUE_FULL)
        assert answer.retry_after_seconds == queue / 2.0


@pytest.mark.parametrize("known", [True, False])
def test_a_server_that_does_not_answer_yet_refuses_everybody_with_503(known: bool):
    answer = judge(answering=False, known=known)
    assert isinstance(answer, Rejected)
    assert (answer.status, answer.reason) == (503, names.REASON_NOT_READY)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("seconds", "expected"), [(0.0, LET_IN), (9.9, LET_IN), (10.0, REFUSED)])
def test_a_draining_pod_answers_for_ten_seconds_and_then_nobody_new(
    known: bool, seconds: float, expected: str
):
    answer = judge(draining_seconds=seconds, known=known)
    assert outcome(answer) == expected
    if isinstance(answer, Rejected):
        assert (answer.status, answer.reason) == (503, names.REASON_DRAINING)


@given(
    policy=st.sampled_from(OverloadPolicy),
    growth=st.sampled_from(Growth),
    crossed=st.booleans(),
    queue=st.integers(0, 300),
    usage=st.none() | st.floats(0, 1),
    ratio=st.none() | st.floats(0, 1),
)
def test_whatever_lets_a_newcomer_in_lets_a_known_session_in(
    *,
    policy: OverloadPolicy,
    growth: Growth,
    crossed: bool,
    queue: int,
    usage: float | None,
    ratio: float | None,
):
    load = Load(memory_used_ratio=ratio, kv_usage_ratio=usage)
    facts: dict[str, Any] = {"line_crossed": crossed, "queue_length": queue}
    newcomer = judge(policy, growth, load, known=False, **facts)
    known = judge(policy, growth, load, known=True, **facts)
    if isinstance(newcomer, Admitted):
        assert known == Admitted(KNOWN_PRIORITY)
    if isinstance(newcomer, Rejected):
        assert newcomer.status == 429
        assert newcomer.retry_after_seconds > 0
