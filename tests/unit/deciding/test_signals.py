"""Readings folded into the load of a fleet."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from vibethinker_operator.observed import Observed
from vibethinker_operator.samples import TIMEOUT, Sample, SampleRefused
from vibethinker_operator.signals import Missing, Signals, fold_signals
from vibethinker_operator.step_model import Work
from vibethinker_operator.windows import Windows, is_frozen, sum_since

from tests.unit.deciding.builders import GB, START, make_observed, make_pod, make_sample

TWO = make_observed(make_pod("a"), make_pod("b"))


def record(*samples: Sample, uids: tuple[str, ...] = ("a", "b")) -> Windows:
    windows = Windows()
    for sample in sorted(samples, key=lambda sample: sample.time):
        windows = windows.record([sample], uids, sample.time)
    return windows


def fold(*samples: Sample, observed: Observed = TWO, now: float = START) -> Signals:
    return fold_signals(record(*samples), observed, now)


def seconds(uid: str, count: int, **series: Sequence[Any]) -> list[Sample]:
    """One sample a second up to START; a series is given by its values."""
    steps = [50.0 * n for n in range(count)]
    series = {"engine_steps_total": steps, **series}
    return [
        make_sample(
            uid, START - count + 1 + n, **{name: values[n] for name, values in series.items()}
        )
        for n in range(count)
    ]


class TestWindows:
    def test_a_minute_is_kept(self):
        window = record(*[make_sample("a", START + n) for n in range(100)]).readings["a"]
        assert (window[0].sample.time, window[-1].sample.time) == (START + 39, START + 99)

    def test_a_pod_that_is_gone_is_forgotten_at_once(self):
        windows = record(make_sample("a"), make_sample("b"))
        assert set(windows.record([], {"b"}, START + 1).readings) == {"b"}

    def test_a_reading_of_a_pod_that_does_not_exist_is_dropped(self):
        assert Windows().record([make_sample("x")], {"a"}, START).readings == {}

    def test_the_same_answer_twice_is_one_reading(self):
        windows = record(make_sample("a"), make_sample("a"))
        assert len(windows.readings["a"]) == 1

    def test_a_refusal_is_kept_until_a_good_answer(self):
        refused = SampleRefused("a", START, TIMEOUT, "no whole answer within 2 s")
        windows = Windows().record([refused], {"a"}, START)
        assert windows.refused == {"a": refused}
        assert windows.record([make_sample("a", START + 1)], {"a"}, START + 1).refused == {}

    def test_totals_add_up_what_was_watched(self):
        window = record(
            make_sample("a", START, running=2.0, queue_length=1.0, finished_total=10.0),
            make_sample("a", START + 1, running=0.0, finished_total=12.0),
            make_sample("a", START + 3, running=4.0, finished_total=12.0),
            make_sample("a", START + 4, running=4.0, finished_total=15.0),
        ).readings["a"]
        assert window[-1].totals[:3] == (5.0, 2.0, 7.0)
        assert sum_since(window, START + 3)[:3] == (3.0, 1.0, 4.0)

    def test_work_is_what_was_done_between_two_readings_with_requests(self):
        def reading(second: int, **facts: float) -> Sample:
            facts = {"running": 2.0, "kv_used": 10.0, **facts}
            return make_sample("a", START + second, **facts)

        window = record(
            reading(0, prompt_tokens_total=0.0, generation_tokens_total=0.0),
            reading(1, engine_steps_total=40.0, prompt_tokens_total=300.0,
                    generation_tokens_total=80.0, kv_used=30.0),
            reading(2, engine_steps_total=90.0, prompt_tokens_total=900.0,
                    generation_tokens_total=180.0, running=0.0),
        ).readings["a"]  # fmt: skip
        assert window[-1].totals.work == Work(1.0, 40.0, 300.0, 80.0, 800.0)

    def test_without_a_count_of_tokens_no_work_is_known(self):
        window = record(
            make_sample("a", START, running=2.0, engine_steps_total=1.0),
            make_sample("a", START + 1, running=2.0, engine_steps_total=40.0),
        ).readings["a"]
        assert window[-1].totals.work == Work()

    def test_a_counter_that_fell_was_started_anew(self):
        window = record(
            make_sample("a", START, running=1.0, finished_total=900.0),
            make_sample("a", START + 1, running=1.0, finished_total=4.0),
        ).readings["a"]
        assert window[-1].totals.finished == 4.0

    def test_a_refusal_counter_that_was_not_there_began_at_zero(self):
        window = record(
            make_sample("a", START),
            make_sample("a", START + 1, rejected_total=(("draining", 7.0), ("hard_line", 2.0))),
            make_sample("a", START + 2, rejected_total=(("hard_line", 3.0), ("queue_full", 5.0))),
        ).readings["a"]
        assert window[-1].totals.refused == 8.0
        assert window[-1].totals.refused_for_memory == 3.0

    def test_refusals_from_before_the_first_reading_are_history(self):
        window = record(make_sample("a", START, rejected_total=(("hard_line", 99.0),)))
        assert window.readings["a"][-1].totals.refused == 0.0


class TestFrozen:
    def stuck(self, count: int, **facts: float) -> bool:
        samples = [
            make_sample("a", START + n, **{"running": 3.0, "engine_steps_total": 70.0, **facts})
            for n in range(count)
        ]
        return is_frozen(record(*samples).readings["a"])

    def test_ten_seconds_without_a_step_while_running_are_frozen(self):
        assert not self.stuck(10)
        assert self.stuck(11)

    def test_an_idle_engine_takes_no_steps_and_is_not_frozen(self):
        assert not self.stuck(60, running=0.0)

    def test_an_engine_that_counts_no_steps_cannot_be_judged(self):
        samples = [
            make_sample("a", START + n, running=3.0, engine_steps_total=None) for n in range(30)
        ]
        assert not is_frozen(record(*samples).readings["a"])

    def test_one_step_ends_it(self):
        samples = [
            make_sample("a", START + n, running=3.0, engine_steps_total=70.0 + (n > 8))
            for n in range(14)
        ]
        assert not is_frozen(record(*samples).readings["a"])


class TestKnown:
    @pytest.mark.parametrize(
        ("sample", "missing"),
        [
            (make_sample("a", START - 2.5), None),
            (make_sample("a", START - 2.6), Missing.STALE),
            (make_sample("a", queue_length=None), Missing.INCOMPLETE),
            (make_sample("a", running=None), Missing.INCOMPLETE),
        ],
    )
    def test_why_a_pod_is_not_known(self, sample, missing):
        assert fold(sample).pods[0].missing is missing

    def test_a_pod_that_never_answered_is_silent(self):
        signals = fold(make_sample("a"))
        assert [load.missing for load in signals.pods] == [None, Missing.SILENT]
        assert (signals.ready, signals.expected, signals.known) == (2, 2, 1)
        assert signals.partial

    @pytest.mark.parametrize("ago", [0.0, 3.9, -3.0])
    def test_a_pod_is_not_read_in_its_first_seconds(self, ago):
        observed = make_observed(make_pod("a", ready_since=START - ago), make_pod("b"))
        signals = fold(make_sample("a"), make_sample("b"), observed=observed)
        assert (signals.ready, signals.expected, signals.known) == (2, 1, 1)
        assert not signals.partial

    def test_a_clock_far_behind_the_clusters_does_not_hide_a_pod_for_hours(self):
        observed = make_observed(make_pod("a", ready_since=START + 3600))
        assert fold(make_sample("a"), observed=observed).known == 1

    def test_nothing_known_is_not_nothing_running(self):
        signals = fold()
        assert signals.running is None
        assert signals.waiting is None
        assert signals.memory is None

    def test_the_readings_of_believed_pods_are_given_to_draining(self):
        signals = fold(make_sample("a"), make_sample("b", START - 9))
        assert set(signals.samples) == {"a"}


class TestMemory:
    def test_the_fleet_ratio_is_live_bytes_over_device_bytes(self):
        memory = fold(make_sample("a", kv_used=10 * GB), make_sample("b", kv_used=2 * GB)).memory
        assert memory is not None
        assert memory.used_ratio == pytest.approx((4.6 + 10 + 4.6 + 2) / 48)
        assert (memory.non_kv_bytes, memory.kv_used_bytes) == (4.6 * GB, 12 * GB)
        assert (memory.device_bytes, memory.pool_bytes) == (24 * GB, 15.8 * GB)
        assert not memory.mixed_devices

    def test_a_pod_without_a_ratio_makes_memory_partial_not_zero(self):
        signals = fold(make_sample("a"), make_sample("b", device_memory_bytes=None))
        assert signals.memory is not None
        assert signals.memory.used_ratio == pytest.approx(4.6 / 24)
        assert signals.memory_partial
        assert signals.partial

    @pytest.mark.parametrize("hidden", ["device_memory_bytes", "other_bytes", "kv_used_bytes"])
    def test_where_no_pod_tells_its_memory_it_is_unknown(self, hidden):
        unknown: dict[str, Any] = {hidden: None}
        signals = fold(make_sample("a", **unknown), make_sample("b", **unknown))
        assert signals.memory is None
        assert not signals.partial

    def test_a_device_of_no_bytes_is_unknown(self):
        assert fold(make_sample("a", device_memory_bytes=0.0)).memory is None

    def test_cards_of_one_kind_differ_a_little(self):
        memory = fold(make_sample("a"), make_sample("b", device_memory_bytes=24.5 * GB)).memory
        assert memory is not None
        assert not memory.mixed_devices

    def test_on_mixed_cards_the_one_with_the_least_room_sizes_the_fleet(self):
        big = make_sample("b", device_memory_bytes=80 * GB, kv_idle_bytes=60 * GB)
        memory = fold(make_sample("a"), big).memory
        assert memory is not None
        assert memory.mixed_devices
        assert (memory.device_bytes, memory.pool_bytes) == (24 * GB, 15.8 * GB)

    def test_one_odd_reading_does_not_size_the_fleet(self):
        observed = make_observed(make_pod("a"), make_pod("b"), make_pod("c"))
        odd = make_sample("c", other_bytes=20 * GB)
        windows = record(make_sample("a"), make_sample("b"), odd, uids=("a", "b", "c"))
        memory = fold_signals(windows, observed, START).memory
        assert memory is not None
        assert memory.non_kv_bytes == 4.6 * GB

    def test_bytes_per_request_are_of_what_runs(self):
        signals = fold(
            make_sample("a", kv_used=6 * GB, running=30.0), make_sample("b", kv_used=3 * GB)
        )
        assert signals.kv_bytes_per_request == 0.2 * GB
        assert fold(make_sample("a", kv_used=1 * GB)).kv_bytes_per_request is None
        tiny = make_sample("a", kv_used=1 * GB, running=2.2e-313)
        assert fold(tiny).kv_bytes_per_request is None


class TestRates:
    def test_the_service_rate_is_of_busy_seconds_only(self):
        busy = [0.0] * 31 + [10.0] * 30
        done = [0.0] * 32 + [3.0 * n for n in range(1, 30)]
        signals = fold(*seconds("a", 61, running=busy, finished_total=done))
        assert signals.finished_per_second == pytest.approx(3.0)

    def test_the_time_in_the_engine_follows_from_littles_law(self):
        samples = seconds(
            "a",
            61,
            running=[20.0] * 61,
            queue_length=[10.0] * 61,
            finished_total=[2.0 * n for n in range(61)],
        )
        assert fold(*samples).seconds_in_system == pytest.approx(15.0)

    def test_few_requests_or_a_short_time_give_no_rate(self):
        few = seconds("a", 61, running=[1.0] * 61, finished_total=[n * 0.1 for n in range(61)])
        assert fold(*few).finished_per_second is None
        short = seconds("a", 15, running=[9.0] * 15, finished_total=[5.0 * n for n in range(15)])
        assert fold(*short).finished_per_second is None

    def test_refusals_are_per_second_of_the_last_ten(self):
        samples = seconds("a", 31, rejected_total=[_refused(n) for n in range(31)])
        signals = fold(*samples)
        assert signals.refusals_per_second == pytest.approx(2.0)
        assert signals.memory_refusals_per_second == pytest.approx(1.0)
        assert signals.memory_refused

    def test_a_refusal_for_memory_counts_for_five_seconds(self):
        once = [(("hard_line", float(n > 20)),) for n in range(31)]
        assert not fold(*seconds("a", 31, rejected_total=once)).memory_refused
        once = [(("hard_line", float(n > 25)),) for n in range(31)]
        assert fold(*seconds("a", 31, rejected_total=once)).memory_refused

    @pytest.mark.parametrize("reason", ["draining", "not_ready"])
    def test_a_pod_that_cannot_serve_refuses_nobody_for_load(self, reason):
        samples = seconds("a", 31, rejected_total=[((reason, float(n)),) for n in range(31)])
        assert fold(*samples).refusals_per_second == 0.0


def test_a_pod_that_takes_nothing_new_still_has_its_requests():
    drained = make_pod("b", ready=False, draining_since=START - 20)
    observed = make_observed(make_pod("a"), drained)
    signals = fold(
        make_sample("a", running=4.0),
        make_sample("b", running=7.0, kv_used=1 * GB),
        observed=observed,
    )
    assert signals.running == 11.0
    assert signals.memory is not None
    assert signals.memory.kv_used_bytes == 1 * GB
    assert signals.memory.used_ratio == pytest.approx(4.6 / 24)
    assert (signals.ready, signals.known) == (1, 1)


def test_a_pod_on_its_way_up_is_no_load():
    observed = make_observed(make_pod("a"), make_pod("b", ready=False, ready_since=None))
    signals = fold(make_sample("a", running=4.0), make_sample("b"), observed=observed)
    assert signals.memory is not None
    assert signals.memory.used_ratio == pytest.approx(4.6 / 24)


def test_pods_on_their_way_out_are_not_read():
    observed = make_observed(make_pod("a"), replace(make_pod("b"), terminating=True))
    signals = fold(make_sample("a", running=4.0), make_sample("b", running=9.0), observed=observed)
    assert signals.running == 4.0


def test_the_smallest_engine_limit_counts():
    assert fold(make_sample("a"), make_sample("b", max_num_seqs=64.0)).max_num_seqs == 64.0
    assert fold(make_sample("a", max_num_seqs=None)).max_num_seqs is None


def _refused(n: int) -> tuple[tuple[str, float], ...]:
    return (("memory_line", float(n)), ("queue_full", float(n)))
