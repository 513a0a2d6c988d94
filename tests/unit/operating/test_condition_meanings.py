"""The tables of conditions and decisions: nothing in them that cannot be, nothing left out."""

from vibethinker_operator.api.status import Condition, Status
from vibethinker_operator.condition_meanings import CONDITIONS
from vibethinker_operator.condition_reasons import ConditionReason
from vibethinker_operator.conditions import ANSWERS, STALLED
from vibethinker_operator.decision_meanings import REASONS, RULES
from vibethinker_operator.scaling import Reason, Rule

from tests.unit.operating.situations import (
    conditions_of,
    describe,
    list_rarer_views,
    list_situations,
)

RESOURCES = [*list_situations().values(), *map(describe, list_rarer_views())]
GIVEN = {
    (condition.type, condition.status, condition.reason)
    for resource in RESOURCES
    for condition in conditions_of(resource)
}
DESCRIBED = {
    (type_, answer.status, str(answer.reason))
    for type_, meaning in CONDITIONS.items()
    for answer in meaning.answers
}
OF_THE_CLUSTER = {"ErrImagePull", "FailedCreate"}


def test_every_condition_is_described_in_the_order_of_the_status():
    assert list(CONDITIONS) == [*ANSWERS, STALLED]


def test_no_answer_is_given_that_is_not_described():
    strange = {(type_, reason) for type_, _, reason in GIVEN - DESCRIBED}
    cited = {type_ for type_, meaning in CONDITIONS.items() if meaning.cites_cluster}
    assert {type_ for type_, _ in strange} == cited
    assert {reason for _, reason in strange} == OF_THE_CLUSTER


def test_no_answer_is_described_that_the_code_never_gives():
    assert set() == DESCRIBED - GIVEN


def test_every_reason_of_a_condition_is_described():
    assert {reason for _, _, reason in DESCRIBED} >= {reason.value for reason in ConditionReason}


def test_every_rule_and_reason_of_a_decision_is_described():
    assert set(RULES) == set(Rule)
    assert set(REASONS) == set(Reason)


def test_a_status_takes_every_answer_as_it_is():
    for resource in RESOURCES:
        for condition in conditions_of(resource):
            assert Condition.model_validate(condition.model_dump()) == condition
        assert Status.model_validate(resource.get("status", {}))
