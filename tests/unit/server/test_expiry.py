"""What goes from a dict whose entries live equally long."""

from collections import OrderedDict

import pytest
from vibethinker_server.expiry import drop_oldest


@pytest.mark.parametrize(
    ("now", "most", "gone"),
    [
        (9.9, 3, []),
        (10.0, 3, [10.0]),
        (30.0, 3, [10.0, 20.0, 30.0]),
        (0.0, 2, [10.0]),
        (0.0, 0, [10.0, 20.0, 30.0]),
        (20.0, 2, [10.0, 20.0]),
    ],
)
def test_the_oldest_go_when_their_time_is_over_or_they_are_too_many(
    now: float, most: int, gone: list[float]
):
    entries = OrderedDict(a=10.0, b=20.0, c=30.0)
    assert drop_oldest(entries, float, now=now, most=most) == gone
    assert list(entries.values()) == [10.0, 20.0, 30.0][len(gone) :]


def test_what_has_a_longer_time_holds_up_those_behind_it():
    entries = OrderedDict(a=90.0, b=20.0)
    assert drop_oldest(entries, float, now=30.0, most=5) == []
    assert drop_oldest(entries, float, now=90.0, most=5) == [90.0, 20.0]
