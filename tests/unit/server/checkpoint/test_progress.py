import io

from vibethinker_server.checkpoint.progress import Progress, ProgressLine, render_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_elsewhere_than_on_a_terminal_there_is_a_line_every_five_seconds():
    stream, clock = io.StringIO(), Clock()
    line = ProgressLine(stream, clock)
    for second in range(12):
        clock.now = float(second)
        line(Progress("quantizing", second * 10**9, 11 * 10**9))
    line.close()
    assert stream.getvalue().splitlines() == [
        "quantizing   0 %, 0.0 MB of 11.00 GB",
        "quantizing  45 %, 5.00 GB of 11.00 GB",
        "quantizing  90 %, 10.00 GB of 11.00 GB",
    ]


def test_a_terminal_has_one_line_that_moves_and_ends_whole():
    stream, clock = Terminal(), Clock()
    line = ProgressLine(stream, clock)
    for step in range(1001):
        clock.now = step / 1000
        line(Progress("quantizing", step * 10**7, 10**10))
    line(Progress("flushing", 0, 0))
    line.close()
    shown = stream.getvalue()
    assert shown.count("\n") == 1
    drawn = shown.rstrip("\n").split("\r")[1:]
    assert 10 <= len(drawn) <= 13
    assert drawn[-2].startswith("[########################] quantizing 100 %, 10.00 GB of 10.00")
    assert drawn[-1].startswith("flushing")


def test_where_nothing_was_shown_no_line_is_ended():
    stream = Terminal()
    ProgressLine(stream, Clock()).close()
    assert stream.getvalue() == ""


def test_a_phase_without_a_measure_is_its_name():
    assert render_progress(Progress("reading", 0, 0)) == "reading"
