"""The four questions, in their order, and the device's arithmetic."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_doctor.answer import Answer, Verdict
from vibethinker_doctor.card_arithmetic import ask_arithmetic, read_card
from vibethinker_doctor.engine_readings import EngineReadings, parse_page, read_engine
from vibethinker_doctor.path import sequences_that_fit, walk_path

from tests.unit.doctor.pages import CACHE, FIGURES, render_page

MIB, GIB = 2**20, 2**30


def walk(cache: str = CACHE, **changes: float | None) -> list[Answer]:
    return list(walk_path(read_engine(render_page(cache, **changes))))


def code_of(answer: Answer) -> str | None:
    return answer.finding.code if answer.finding else None


def test_a_healthy_engine_passes_all_four_in_their_order():
    answers = walk()
    assert [answer.question[0] for answer in answers] == ["1", "2", "3", "4"]
    assert {answer.verdict for answer in answers} == {Verdict.OK}


def test_an_empty_page_is_unknown_in_all_and_says_what_would_be_needed():
    answers = walk_path(read_engine(""))
    assert {answer.verdict for answer in answers} == {Verdict.UNKNOWN}
    assert all(answer.evidence for answer in answers)


class TestPagedAttention:
    def test_the_evidence_are_the_pools_blocks(self):
        assert walk()[0].evidence.startswith("512 blocks of 32 tokens, 16384 tokens together")

    @pytest.mark.parametrize("blocks", ["None", "0", "-1", "many"])
    def test_a_pool_without_a_number_is_unknown(self, blocks: str):
        cache = CACHE.replace('"512"', f'"{blocks}"')
        assert walk(cache)[0].verdict is Verdict.UNKNOWN


class TestModelLen:
    def test_the_line_itself_is_within(self):
        assert walk(max_model_len=4096)[1].verdict is Verdict.OK

    def test_above_it_the_field_and_its_value_are_named(self):
        finding = walk(max_model_len=4097)[1].finding
        assert finding is not None
        assert (finding.field, finding.value) == ("engine.maxModelLen", 4096)


class TestConcurrency:
    def test_requests_within_the_seats_are_well(self):
        assert walk(requests_running=6, requests_waiting=2)[2].verdict is Verdict.OK

    def test_a_pool_with_room_lets_more_run_but_no_more_than_come(self):
        finding = walk(requests_running=8, requests_waiting=4)[2].finding
        assert finding is not None
        assert (finding.code, finding.field) == ("RequestsAboveMaxNumSeqs", "engine.maxNumSeqs")
        assert finding.value == 12

    def test_a_pool_without_room_asks_for_another_replica(self):
        finding = walk(requests_running=8, requests_waiting=4, prompt_tokens_sum=400 * 4000)[
            2
        ].finding
        assert finding is not None
        assert finding.field == "scaling.maxReplicas"

    def test_what_our_door_holds_counts_too(self):
        assert code_of(walk(requests_running=8, in_flight=30)[2]) == "RequestsAboveMaxNumSeqs"

    def test_a_storm_comes_before_the_crowd_that_made_it(self):
        long: dict[str, float | None] = {"generation_tokens_sum": 400 * 3000}
        finding = walk(CACHE, requests_running=8, in_flight=30, num_preemptions_total=200, **long)[
            2
        ].finding
        assert finding is not None
        assert finding.code == "PreemptionStorm"
        assert (finding.field, finding.value) == ("engine.maxNumSeqs", 4)

    @pytest.mark.parametrize(("preemptions", "finished"), [(30, 400), (19, 19), (0, 400)])
    def test_few_preemptions_are_no_storm(self, preemptions: int, finished: int):
        answer = walk(num_preemptions_total=preemptions, requests_finished_total=finished)[2]
        assert answer.verdict is Verdict.OK

    def test_without_a_finished_request_the_longest_sequence_counts(self):
        readings = read_engine(render_page(prompt_tokens_count=0))
        assert readings.mean_tokens is None
        assert sequences_that_fit(readings) == 4


class TestUnreleased:
    def test_the_evidence_has_all_three_and_pythons_counters(self):
        evidence = walk()[3].evidence
        for part in ("KV in use 0.0%", "live memory +0.0 MiB", "+10.0 MiB per 1,000", "31 full"):
            assert part in evidence

    def test_a_busy_engine_is_asked_again_later(self):
        answer = walk(requests_running=3, in_flight=3)[3]
        assert answer.verdict is Verdict.UNKNOWN
        assert "once nothing runs" in answer.evidence

    def test_blocks_that_an_idle_engine_holds(self):
        assert code_of(walk(kv_cache_usage_perc=0.002)[3]) == "KvNotReleased"

    def test_live_memory_above_that_after_the_start(self):
        assert code_of(walk(memory_used_ratio=0.56)[3]) == "MemoryNotReleased"
        assert walk(memory_used_ratio=0.54)[3].verdict is Verdict.OK

    def test_processes_that_grow_with_every_request(self):
        grown = 3 * GIB + 130 * MIB
        assert code_of(walk(resident_memory_bytes=grown)[3]) == "ProcessMemoryGrows"
        few = walk(resident_memory_bytes=grown, requests_finished_total=100)
        assert few[3].verdict is Verdict.OK
        once = walk(resident_memory_bytes=3 * GIB + 100 * MIB)
        assert once[3].verdict is Verdict.OK

    def test_memory_that_is_not_known_is_said_to_be_unknown(self):
        answer = walk(memory_used_ratio=None, resident_memory_bytes=None)[3]
        assert answer.verdict is Verdict.OK
        assert "live memory unknown" in answer.evidence
        assert "processes unknown" in answer.evidence

    def test_requests_that_stand_still_in_two_readings(self):
        now = read_engine(render_page(in_flight=5))
        assert code_of(walk_path(now, now)[3]) == "SessionsNotReleased"
        worked = replace(now, steps=1)
        assert walk_path(now, worked)[3].verdict is Verdict.UNKNOWN


class TestArithmetic:
    def test_the_parts_are_shown_and_whether_the_line_is_reached(self):
        answer = ask_arithmetic(read_card(read_engine(render_page())))
        assert answer.verdict is Verdict.OK
        assert "= 3.00 GiB of 4.00 GiB" in answer.evidence
        assert "8 sequences of 4096 tokens bring live memory to 75.0 %" in answer.evidence
        assert "the line of 75 % is reached" in answer.evidence

    def test_few_sequences_do_not_reach_it(self):
        answer = ask_arithmetic(read_card(read_engine(render_page(max_num_seqs=1))))
        assert "to 56.2 %: the line of 75 % is not: queue length decides here" in answer.evidence

    def test_parts_above_the_device_are_a_finding(self):
        card = read_card(read_engine(render_page(device_memory_bytes=2 * GIB)))
        finding = ask_arithmetic(card, on_cpu=True).finding
        assert finding is not None
        assert (finding.code, finding.value) == ("MemoryOverDevice", "3Gi")

    @pytest.mark.parametrize("part", ["device_memory_bytes", "max_num_seqs", "max_model_len"])
    def test_a_missing_part_is_unknown(self, part: str):
        card = read_card(read_engine(render_page(CACHE, **{part: None})))
        assert ask_arithmetic(card).verdict is Verdict.UNKNOWN


def test_a_page_is_read_as_prometheus_writes_it():
    page = 'a{b="x\\"y",c="z"} 1.5 1700000000\n# HELP d text\nnonsense\ne NaN\nf +Inf\ng 2e3\n'
    series = parse_page(page)
    assert [(one.name, one.value) for one in series] == [("a", 1.5), ("g", 2000.0)]
    assert dict(series[0].labels) == {"b": 'x\\"y', "c": "z"}


@given(st.text())
def test_no_page_makes_it_raise(text: str):
    walk_path(read_engine(text))


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(st.fixed_dictionaries(dict.fromkeys(FIGURES, st.none() | NUMBERS)))
def test_no_figures_make_it_raise(figures: dict[str, float | None]):
    lines = [f"{name} {value}" for name, value in figures.items() if value is not None]
    readings = read_engine(CACHE + "\n".join(lines))
    walk_path(readings, EngineReadings())
    ask_arithmetic(read_card(readings))
