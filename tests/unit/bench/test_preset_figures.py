import pytest

from tests.bench.preset.figures import compare


def test_each_isolation_stands_beside_the_cold_one():
    figures = compare({"None": [0.8, 0.9, 1.0], "Session": [1.0, 1.1, 1.2]})
    assert figures["Session"]["of_cold"] == 1.0
    assert figures["None"]["of_cold"] == pytest.approx(0.818)
    assert figures["None"]["time_to_first_token_ms"] == 900.0
    assert figures["None"]["requests"] == 3
