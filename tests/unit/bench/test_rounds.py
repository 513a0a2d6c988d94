from typing import Any

from tests.bench.middleware.rounds import in_rounds


def test_every_contestant_comes_once_a_round_and_each_round_begins_with_another():
    asked: list[str] = []

    def measure(served: Any) -> int:
        asked.append(served)
        return len(asked)

    contestants: dict[str, Any] = {name: name for name in "abc"}
    samples = in_rounds(contestants, 3, measure, seconds=60)
    assert "".join(asked) == "abcbcacab"
    assert samples == {"a": [1, 6, 8], "b": [2, 4, 9], "c": [3, 5, 7]}


def test_without_time_one_whole_round_is_made_and_no_other():
    contestants: dict[str, Any] = {name: name for name in "ab"}
    assert in_rounds(contestants, 3, lambda served: 1, seconds=0) == {"a": [1], "b": [1]}
