"""The batching benchmark's window and its figures."""

import pytest

from tests.bench.batching.figures import Answer, compare
from tests.bench.batching.gathering import release_times


def test_without_a_window_everybody_leaves_at_once():
    assert release_times([0.1, 0.2, 5.0], 0.0) == [0.1, 0.2, 5.0]


def test_a_window_opens_with_the_first_and_takes_along_who_comes_within_it():
    released = release_times([1.0, 1.2, 1.5, 1.6, 9.0], 0.5)
    assert released == pytest.approx([1.5, 1.5, 1.5, 2.1, 9.5])


def test_ratios_are_those_to_no_window():
    answers = {
        0.0: [Answer(0.0, 1.0, 3.0), Answer(1.0, 2.0, 4.0)],
        0.5: [Answer(0.0, 1.5, 3.0), Answer(1.0, 2.5, 4.0)],
    }
    figures = compare(answers)
    assert figures["0"]["first_token_median_s_ratio"] == 1.0
    assert figures["0.5"]["requests"] == 2
    assert figures["0.5"]["first_token_median_s"] == 1.5
    assert figures["0.5"]["first_token_median_s_ratio"] == 1.5
    assert figures["0.5"]["whole_answer_median_s_ratio"] == 1.0
    assert figures["0.5"]["after_first_token_median_s_ratio"] == 0.75
