import math

import pytest

from tests.bench.middleware.figures import (
    Figure,
    is_within_noise,
    per_step,
    percentile,
    subtract,
    summarize,
)


def test_a_figure_is_the_median_with_its_spread_beside_it():
    assert summarize([3.0, 1.0, 9.0]) == Figure(median=3.0, low=1.0, high=9.0, rounds=3)


@pytest.mark.parametrize("samples", [[], [1.0, math.nan], [math.inf]])
def test_no_figure_comes_of_nothing_or_of_what_is_no_number(samples: list[float]):
    with pytest.raises(ValueError, match="no figure"):
        summarize(samples)


def test_what_slows_a_whole_round_adds_nothing():
    base = [10.0, 10.0, 90.0]
    assert subtract([12.0, 12.0, 92.0], base) == Figure(2.0, 2.0, 2.0, 3)


def test_rounds_that_do_not_match_are_not_compared():
    with pytest.raises(ValueError, match="2 rounds beside 1"):
        subtract([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="2 rounds beside 1"):
        per_step([1.0, 2.0], [1.0], 4)


def test_a_step_costs_what_the_longer_answer_took_more():
    assert per_step([30.0], [10.0], 10) == [2.0]


def test_a_percentile_is_a_value_that_was_measured():
    values = [float(one) for one in range(1, 1001)]
    assert percentile(values, 0.99) == 990.0
    assert percentile([1.0, 2.0, 3.0], 0.5) == 2.0


def test_few_values_have_no_high_percentile():
    with pytest.raises(ValueError, match="99%"):
        percentile([1.0] * 99, 0.99)


@pytest.mark.parametrize(
    ("figure", "within"),
    [
        pytest.param(Figure(0.1, -0.2, 0.3, 5), True, id="its rounds do not agree on a sign"),
        pytest.param(Figure(0.4, 0.3, 0.6, 5), True, id="two equal ones differ as much"),
        pytest.param(Figure(0.6, 0.5, 0.7, 5), False, id="more than two equal ones differ"),
    ],
)
def test_what_equal_ones_seem_to_add_to_each_other_is_noise(figure: Figure, within: bool):
    assert is_within_noise(figure, noise=Figure(0.0, -0.5, 0.4, 5)) is within
