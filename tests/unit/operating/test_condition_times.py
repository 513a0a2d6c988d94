"""When a condition's time moves, and what stays when a resource cannot be obeyed."""

from dataclasses import replace
from datetime import UTC, datetime

from vibethinker_operator.api.status import Condition, ConditionStatus
from vibethinker_operator.causes import Cause
from vibethinker_operator.conditions import (
    ANSWERS,
    MESSAGE_LIMIT,
    render_conditions,
    render_invalid_spec,
)
from vibethinker_operator.scaling import Verdict

from tests.unit.deciding.builders import START, make_observed, make_pending, make_starting
from tests.unit.operating.views import decide_once, make_view

STARTING = make_starting("b", created=START - 5)
PENDING = make_pending("c", created=START - 5, message="0/3 nodes are available")


def find(conditions: tuple[Condition, ...], type_: str) -> Condition:
    (found,) = (condition for condition in conditions if condition.type == type_)
    return found


def test_every_condition_is_there_from_the_first_tick_in_one_order_with_its_generation():
    conditions = render_conditions(make_view(None), (), START)
    assert [condition.type for condition in conditions] == list(ANSWERS)
    assert {condition.observed_generation for condition in conditions} == {3}


def test_the_time_moves_with_the_status_and_with_nothing_else():
    first = render_conditions(make_view(make_observed(STARTING)), (), START)
    other_reason = render_conditions(make_view(make_observed(PENDING)), first, START + 60)
    assert find(other_reason, "Ready").reason == "Unschedulable"
    assert find(other_reason, "Ready").last_transition_time == at(START)
    assert find(other_reason, "Progressing").last_transition_time == at(START + 60)
    ready = render_conditions(make_view(), other_reason, START + 90.9)
    assert find(ready, "Ready").last_transition_time == at(START + 90)
    assert find(render_conditions(make_view(), ready, START + 999), "Ready") == find(ready, "Ready")


def test_an_invalid_spec_is_said_and_what_else_is_known_stays():
    before = render_conditions(make_view(), (), START)
    after = render_invalid_spec(4, "spec.engine.image is required", before, START + 60)
    assert [condition.type for condition in after] == [*ANSWERS, "Stalled"]
    for type_ in ("Ready", "Progressing"):
        condition = find(after, type_)
        assert (condition.status, condition.reason) == (ConditionStatus.FALSE, "InvalidSpec")
        assert condition.message == "spec.engine.image is required"
        assert condition.observed_generation == 4
    assert find(after, "Ready").last_transition_time == at(START + 60)
    assert find(after, "Progressing").last_transition_time == at(START)  # False before, too
    assert find(after, "EngineSupported") == find(before, "EngineSupported")


def test_stalled_stands_there_only_while_a_person_is_waited_for():
    refused = make_view(problem=Cause("WriteForbidden", "exceeded quota: services"))
    waiting = render_conditions(refused, (), START)
    assert find(waiting, "Stalled").status is ConditionStatus.TRUE
    assert find(waiting, "Stalled").message == "exceeded quota: services"
    away = make_view(problem=Cause("ApiUnavailable", "no answer within 10 s"))
    for view in (make_view(), away):
        repaired = render_conditions(view, waiting, START + 60)
        assert [condition.type for condition in repaired] == list(ANSWERS)


def test_words_of_the_cluster_of_any_length_fit():
    view = make_view(None, problem=Cause("WriteRefused", "x" * 9000))
    assert len(find(render_conditions(view, (), START), "Ready").message) == MESSAGE_LIMIT
    decision = replace(decide_once(), limited=Verdict(True, "FixedReplicas", "y" * 9000))
    limited = find(render_conditions(make_view(decision=decision), (), START), "ScalingLimited")
    assert len(limited.message) == MESSAGE_LIMIT


def at(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)
