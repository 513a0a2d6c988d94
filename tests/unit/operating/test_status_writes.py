"""When a status is worth a write: seldom, but a change of the fleet's size at once."""

import pytest
from vibethinker_operator.api.status import Status, StreakStatus
from vibethinker_operator.status import is_write_due

AT_ONE = Status(replicas=1, desired_replicas=1)
QUEUED = Status(replicas=1, desired_replicas=1, request_queue_length=3)
CROSSED = Status(replicas=1, desired_replicas=1, streak=StreakStatus(signal="Memory"))
GROWN = Status(replicas=1, desired_replicas=2)


@pytest.mark.parametrize(
    ("status", "seconds", "due"),
    [
        pytest.param(AT_ONE, 3600.0, False, id="nothing new"),
        pytest.param(QUEUED, 9.0, False, id="news soon after the last write"),
        pytest.param(QUEUED, 10.0, True, id="news after ten seconds"),
        pytest.param(CROSSED, 4.0, False, id="a streak soon after the last write"),
        pytest.param(CROSSED, 5.0, True, id="a streak after five seconds"),
        pytest.param(GROWN, 1.0, True, id="another size, at once"),
    ],
)
def test_a_status_is_written_when(status: Status, seconds: float, due: bool):
    assert is_write_due(status, AT_ONE, 100.0, 100.0 + seconds) is due


def test_the_first_news_of_a_process_is_written_at_once():
    assert is_write_due(QUEUED, AT_ONE, None, 100.0)
