from typing import Any

import pytest

from tests.bench.protect.crowd import Asked
from tests.bench.protect.figures import (
    Preemption,
    Window,
    blamed,
    first_step_after_sustained,
    judge,
    owner_of,
    percentile_99,
)

CALM, STORM = Window(0.0, 10.0), Window(10.0, 30.0)


def asked(request_id: str, sent: float, *, known: bool = False, **changes: Any) -> Asked:
    values: dict[str, Any] = {
        "status": 200,
        "answered": sent + 0.1,
        "is_whole": True,
        "ended": sent + 5.0,
    }
    return Asked(known, sent, request_id=request_id, **(values | changes))


def refused(sent: float, status: int = 429) -> Asked:
    return asked("", sent, status=status, is_whole=False, ended=sent + 0.1)


def test_who_was_preempted_is_known_by_the_beginning_of_the_engines_id():
    mine = asked("cmpl-7", 11.0, known=True)
    assert owner_of(Preemption(12.0, "cmpl-7-0-ab12"), [refused(11.0), mine]) is mine
    assert owner_of(Preemption(12.0, "cmpl-8-0"), [mine]) is None


def test_the_last_to_come_in_is_blamed_if_it_is_a_newcomer():
    known, first, last = asked("k", 11, known=True), asked("a", 12), asked("b", 13)
    everybody = [known, first, last, refused(13.5)]
    assert blamed(everybody, [Preemption(14.0, "k-0")], STORM) == {"b"}
    assert blamed(everybody, [Preemption(12.5, "k-0")], STORM) == {"a"}
    assert blamed(everybody, [Preemption(5.0, "k-0")], STORM) == set()  # before the storm


def test_a_known_turn_that_preempts_a_newcomer_blames_nobody():
    newcomer, known = asked("a", 12.0), asked("k", 13.0, known=True)
    assert blamed([newcomer, known], [Preemption(14.0, "a-0")], STORM) == set()


def test_the_figures_of_a_storm():
    talking = [
        asked("k1", 11.0, known=True),
        asked("k2", 12.0, known=True, is_whole=False),
        asked("", 13.0, known=True, status=503, is_whole=False),
    ]
    newcomers = [asked("n1", 11.5), refused(12.0), refused(12.5, 503)]
    hits = [Preemption(14.0, "k1-0"), Preemption(14.5, "n1-0"), Preemption(2.0, "k1-0")]
    figures = judge([*talking, *newcomers], hits, CALM, STORM)
    assert (figures.newcomers, figures.newcomers_admitted, figures.newcomers_refused) == (3, 1, 2)
    assert (figures.known_turns, figures.known_turns_refused) == (3, 1)
    assert (figures.known_sessions_cut, figures.known_sessions_preempted) == (1, 1)
    assert figures.newcomers_preempted == 1
    assert figures.first_refusal_ms == pytest.approx(2_100)
    assert figures.itl_p99_ratio is None  # too few tokens say nothing


def test_the_ratio_compares_tokens_of_the_calm_with_those_since_the_first_refusal():
    calm = asked("k", 0.0, known=True, tokens_at=[index * 0.05 for index in range(150)])
    stormy = asked("k", 10.0, known=True, tokens_at=[15 + index * 0.06 for index in range(150)])
    slow = asked("k", 10.0, known=True, tokens_at=[10.0, 14.0])  # before the first refusal
    figures = judge([calm, stormy, slow, refused(14.9)], [], CALM, STORM)
    assert figures.itl_p99_ratio == pytest.approx(1.2)


def test_a_percentile_of_too_few_is_unknown():
    assert percentile_99([1.0] * 99) is None
    assert percentile_99([1.0] * 98 + [2.0] * 2) == 2.0


def test_the_step_that_completes_the_time_above_the_line():
    ratios = [(0.0, 0.8), (0.5, 0.7), (1.0, 0.8), (2.0, 0.9), (3.1, 0.8), (4.0, 0.9)]
    assert first_step_after_sustained(ratios, 0.75, 2.0) == 3.1
    assert first_step_after_sustained(ratios, 0.75, 9.0) is None
