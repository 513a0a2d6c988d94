import pytest
from vibethinker_doctor.health import find_dead


@pytest.mark.parametrize("status", [None, 503])
def test_a_dead_engine_is_told(status: int | None):
    finding = find_dead(status, "GET /health")
    assert finding is not None
    assert (finding.code, finding.evidence) == ("EngineDead", "GET /health")


@pytest.mark.parametrize("status", [200, 401, 404])
def test_whoever_answers_lives(status: int):
    assert find_dead(status, "GET /health") is None
