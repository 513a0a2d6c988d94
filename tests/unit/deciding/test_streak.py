"""Lines that are crossed, sweep by sweep."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vibethinker_operator.streak import (
    CONFIRMING_SWEEPS,
    Signal,
    Streak,
    Track,
    fold_sweep,
    is_sustained,
    newest_streak,
    remaining_seconds,
    start_tracks,
)

from tests.unit.deciding.builders import START

WINDOW = 10.0


def follow(pattern: str, track: Track | None = None, *, start: float = START) -> Track:
    """Sweeps of one second: `+` above, `-` below, `.` nobody can tell."""
    track = track or Track(Signal.MEMORY)
    for second, mark in enumerate(pattern):
        above = {"+": True, "-": False, ".": None}[mark]
        track = fold_sweep(track, above, window_seconds=WINDOW, now=start + second)
    return track


def sustained(pattern: str, track: Track | None = None, *, start: float = START) -> bool:
    now = start + len(pattern) - 1
    return is_sustained(follow(pattern, track, start=start), window_seconds=WINDOW, now=now)


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        ("++++++++++", False),  # nine seconds from the first to the last
        ("+++++++++++", True),
        ("----------+++++++++++", True),
        ("+++-+++-+++", True),  # 9 of 11
        ("+++-++-+-+++", False),  # 8 of the last 11 sweeps
        ("++++++++++-", False),  # the newest is below
        ("-+-+-+-+-+-+-+-+-+-+-+", False),
        ("+++++++++++++++++++++++++++++++", True),
        ("++++++.+++++", True),  # a sweep without data says nothing
        (".........................", False),
        ("+++++.....+", True),  # five seconds unread are within three slow sweeps
        ("+++-..+.....", False),  # 3 of the last 4: the first sweep has left the window
        ("+++++-...+++++-+", False),  # 6 of the last 8, the one below at its very start counted
    ],
)
def test_sustained_is_80_percent_of_the_window_and_the_newest(pattern, holds):
    assert sustained(pattern) is holds


def test_a_burst_of_noise_only_delays():
    # Three of ten below end the streak; once they have left the window it counts from before them.
    assert not sustained("+++---" + "+" * 8)
    assert sustained("+++---" + "+" * 13)


def test_one_crossing_alone_is_a_streak_that_soon_ends():
    assert follow("+").since == START
    assert follow("+--").since == START
    assert follow("+---").since is None


def test_what_remains_falls_with_every_second():
    assert remaining_seconds(follow("-"), window_seconds=WINDOW, now=START) is None
    assert remaining_seconds(follow("++++"), window_seconds=WINDOW, now=START + 3) == 7
    long = follow("+" * 30)
    assert remaining_seconds(long, window_seconds=WINDOW, now=START + 29) == 0


def test_only_the_longest_streak_is_kept_for_the_status():
    memory = follow("+++++")
    queue = Track(Signal.QUEUE, since=START + 3, last_seen=START + 4)
    assert newest_streak([queue, memory]) == Streak(Signal.MEMORY, START, START + 4)
    assert newest_streak([Track(Signal.QUEUE)]) is None


class TestGaps:
    def cut(self, *, counted: int = 7) -> tuple[Track, ...]:
        """What a restart makes of a streak that was seen for `counted` seconds."""
        return start_tracks(Streak(Signal.MEMORY, START, START + counted))

    def test_only_the_named_signal_resumes(self):
        assert [track.since for track in self.cut()] == [START, None, None]

    @pytest.mark.parametrize("gap", [1, 5, 59, 60])
    def test_seven_of_ten_seconds_resume_at_seven(self, gap):
        memory = self.cut()[0]
        resumed = START + 7 + gap
        assert not sustained("+++", memory, start=resumed)
        assert sustained("++++", memory, start=resumed)

    def test_a_gap_beyond_a_minute_starts_anew(self):
        memory = self.cut()[0]
        assert follow("+", memory, start=START + 68).since == START + 68

    def test_two_windows_are_allowed_where_that_is_more_than_a_minute(self):
        track = Track(Signal.MEMORY, START, START + 70, (), CONFIRMING_SWEEPS)
        track = fold_sweep(track, True, window_seconds=100.0, now=START + 70 + 190)
        assert track.since == START + 190

    @pytest.mark.parametrize("pattern", ["-", "+-", "++-"])
    def test_the_first_three_sweeps_must_confirm_it(self, pattern):
        memory = self.cut(counted=100)[0]
        assert follow(pattern, memory, start=START + 110).since is None

    def test_nothing_fires_before_three_sweeps_have_confirmed(self):
        memory = self.cut(counted=100)[0]
        assert not sustained("++", memory, start=START + 110)
        assert sustained("+++", memory, start=START + 110)
        two = follow("++", memory, start=START + 110)
        assert remaining_seconds(two, window_seconds=WINDOW, now=START + 111) == 1

    def test_a_pause_of_the_running_operator_is_such_a_gap(self):
        track = follow("++++++")
        assert not sustained("++++", track, start=START + 45)
        assert sustained("++++++", track, start=START + 45)

    def test_a_pause_with_no_streak_leaves_nothing_behind(self):
        track = follow("+++---")
        assert track.since is None
        assert follow("+", track, start=START + 100).since == START + 100


class TestClocks:
    def test_times_after_now_are_moved_to_now(self):
        memory = start_tracks(Streak(Signal.MEMORY, START + 9e9, START + 9e9))[0]
        track = follow("+", memory)
        assert (track.since, track.last_seen) == (START, START)
        assert not sustained("++++", memory)

    def test_times_before_the_epoch_count_from_it(self):
        memory = start_tracks(Streak(Signal.MEMORY, -100.0, START))[0]
        track = follow("+", memory, start=START + 1)
        assert track.since == 1.0

    def test_a_clock_set_back_by_a_day_fires_nothing_at_once(self):
        track = follow("++++++++")
        back = START - 86_400
        assert not sustained("++++++++++", track, start=back)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from("+-."), min_size=1, max_size=40))
def test_a_streak_never_lies_about_its_window(pattern):
    text = "".join(pattern)
    if sustained(text):
        last = text[-11:].replace(".", "")
        assert text[-1] != "-"
        assert last.count("+") >= 0.8 * len(last)
        assert len(text) > WINDOW
