"""Every text of an engine's end, exactly as it is written, and what it comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_doctor.engine_facts import EngineFacts, read_engine_facts
from vibethinker_doctor.finding import Finding, Value
from vibethinker_doctor.last_words import CONSEQUENCES, WORDS, find_last_words, rank_of
from vibethinker_doctor.words import EVIDENCE_LIMIT

from tests.unit.doctor.texts import ENDS, End

GPU = EngineFacts(
    device="GPU",
    max_model_len=4096,
    max_num_seqs=128,
    max_num_batched_tokens=4096,
    gpu_memory_utilization_percentage=85,
)
CPU = EngineFacts(device="CPU", max_model_len=4096, kv_cache_memory_bytes=64 * 2**20)
ONE_SEQUENCE = next(end.text for end in ENDS if end.code == "MaxModelLenTooLarge")
PREFIX = "(EngineCore pid=4711) ERROR 11-28 14:35:02 [core.py:1510] ValueError: "
TRACEBACK = """\
(EngineCore pid=4711) ERROR 11-28 14:35:02 [core.py:1510] EngineCore failed to start.
(EngineCore pid=4711) ERROR 11-28 14:35:02 [core.py:1510] Traceback (most recent call last):
(EngineCore pid=4711) ERROR 11-28 14:35:02 [core.py:1510]   File "core.py", line 1, in run
{cause}
Traceback (most recent call last):
  File "/x/runpy.py", line 88, in _run_code
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {{}}
"""


def first(log: str, engine: EngineFacts = GPU) -> Finding:
    return find_last_words(log, engine)[0]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{end.code}-{end.text[:24]}")
class TestEachEnd:
    def test_it_is_recognised_with_its_field_and_value(self, end: End):
        (finding,) = find_last_words(end.text, GPU)
        assert (finding.code, finding.field, finding.value) == (end.code, end.field, end.value)
        assert finding.evidence == end.text
        assert finding.cause
        assert finding.remedy

    def test_it_comes_before_what_followed_from_it(self, end: End):
        finding = first(TRACEBACK.format(cause=PREFIX + end.text))
        assert finding.code == end.code
        assert end.text in finding.evidence

    def test_it_has_a_place_in_the_order(self, end: End):
        assert rank_of(end.code) < len(WORDS)


def test_every_word_has_an_example():
    codes = {code for word in WORDS for code in (word.code, *word.other_codes)}
    # Only where the pool was set: tested below.
    assert codes - {"KvCacheTooSmall"} == {end.code for end in ENDS}
    for word in WORDS:
        assert any(word.pattern.search(end.text) for end in ENDS), word.pattern.pattern


@pytest.mark.parametrize("text", CONSEQUENCES)
def test_a_consequence_alone_tells_nothing(text: str):
    assert find_last_words(f"RuntimeError: {text} Failed core proc(s): {{}}") == ()


def test_an_error_that_nobody_knows_is_shown_as_it_stands():
    finding = first(TRACEBACK.format(cause=PREFIX.replace("ValueError", "KeyError") + "'layer'"))
    assert finding.code == "EngineFailed"
    assert finding.evidence.endswith("KeyError: 'layer'")
    assert finding.field is None


def test_an_engine_that_dies_while_it_serves_shows_its_error_too():
    log = "ERROR EngineCore encountered a fatal error.\nERROR IndexError: list index out of range"
    assert first(log).code == "EngineFailed"


def test_a_healthy_log_tells_nothing():
    log = "INFO 11-28 14:35:02 [loggers.py:311] Engine 000: Running: 4 reqs, Waiting: 0 reqs\n"
    assert find_last_words(log * 3) == ()


class TestOneSequenceThatDoesNotFit:
    def test_a_pool_that_was_set_is_enlarged_to_what_one_sequence_needs(self):
        finding = first(ONE_SEQUENCE.replace("(8192)", "(4096)"), CPU)
        assert finding.code == "KvCacheTooSmall"
        assert finding.field == "engine.kvCacheMemoryBytes"
        assert isinstance(finding.value, int)
        # vLLM rounds to two digits: never less than what it meant.
        assert finding.value >= 0.225 * 2**30
        assert finding.value % 2**20 == 0

    def test_a_length_beyond_what_is_planned_for_is_shortened_though_the_pool_was_set(self):
        assert first(ONE_SEQUENCE, CPU).code == "MaxModelLenTooLarge"

    @pytest.mark.parametrize(
        ("fits", "value"), [("1023", 1008), ("272", 272), ("255", None), ("16", None)]
    )
    def test_the_length_is_of_whole_blocks_and_one_that_the_field_takes(
        self, fits: str, value: Value | None
    ):
        said = ONE_SEQUENCE.replace("length is 1184", f"length is {fits}")
        assert first(said).value == value

    def test_without_an_estimate_there_is_no_value(self):
        said = ONE_SEQUENCE.partition("Based on")[0]
        assert (first(said).field, first(said).value) == ("engine.maxModelLen", None)


def test_a_share_that_is_at_its_highest_is_not_raised():
    text = next(end.text for end in ENDS if end.code == "NoMemoryForKvCache")
    full = EngineFacts(gpu_memory_utilization_percentage=95)
    assert first(text, full).value is None
    assert first(text, EngineFacts(gpu_memory_utilization_percentage=93)).value == 95


def test_a_step_is_never_made_smaller_than_its_sequences():
    text = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.2 GiB."
    tight = EngineFacts(max_num_batched_tokens=128, max_num_seqs=128)
    assert first(text, tight).value is None


def test_a_flag_that_nobody_ever_knew_asks_for_another_version():
    finding = first("entry.py: error: unrecognized arguments: --from-the-future 3")
    assert (finding.code, finding.field) == ("FlagUnknown", "engine.image")


def test_old_and_unknown_flags_together_name_the_old_ones():
    finding = first("x: error: unrecognized arguments: --swap-space 4 --other --task generate")
    assert finding.code == "FlagGone"
    assert "--swap-space" in finding.remedy
    assert "--task" in finding.remedy


def test_a_variable_of_vllms_own_that_it_does_not_know_is_no_finding():
    assert (
        find_last_words("WARNING Unknown vLLM environment variable detected: VLLM_PORT_TCP") == ()
    )


def test_an_error_comes_before_a_warning_that_was_written_first():
    log = "Unknown vLLM environment variable detected: VLLM_USE_V1\n" + ONE_SEQUENCE
    assert [f.code for f in find_last_words(log)] == ["MaxModelLenTooLarge", "VariableGone"]


def test_a_line_without_end_is_kept_in_part():
    finding = first(ONE_SEQUENCE + "x" * 10_000)
    assert len(finding.evidence) == EVIDENCE_LIMIT


HOSTILE = ("/psm_ ", "No space left on device ", "a", "error: argument --", "--x ", "1.0 GiB (")


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_line_without_end_is_searched_in_part(piece: str):
    cause = "OSError: [Errno 98] Address already in use"
    log = f"error: argument --{piece * 400_000}\n{cause}"
    assert [finding.code for finding in find_last_words(log)][-1:] == ["PortTaken"]


class TestFacts:
    def test_what_is_no_whole_number_is_not_known(self):
        facts = read_engine_facts({"maxModelLen": "4096", "maxNumSeqs": True, "device": 3})
        assert facts == EngineFacts()

    def test_a_document_of_settings_is_read(self):
        facts = read_engine_facts({"maxModelLen": 2048, "device": "CPU", "kvCacheMemoryBytes": 9})
        assert facts == EngineFacts(device="CPU", max_model_len=2048, kv_cache_memory_bytes=9)


FRAGMENTS = st.sampled_from([end.text for end in ENDS] + list(CONSEQUENCES))


@given(st.lists(st.one_of(st.text(), FRAGMENTS), max_size=6), st.text(max_size=3))
def test_no_text_makes_it_raise(parts: list[str], glue: str):
    for finding in find_last_words(glue.join(parts), GPU):
        assert finding.cause
        assert len(finding.evidence) <= EVIDENCE_LIMIT


@given(FRAGMENTS, st.integers(0, 10**40), st.sampled_from([GPU, CPU, EngineFacts()]))
def test_no_number_makes_it_raise_or_leave_the_fields_bounds(
    text: str, number: int, engine: EngineFacts
):
    digits = "".join(str(number) if char == "4" else char for char in text)
    for finding in find_last_words(digits, engine):
        if finding.field == "engine.maxModelLen" and isinstance(finding.value, int):
            assert 256 <= finding.value <= 131_072
        if finding.field == "engine.gpuMemoryUtilizationPercentage" and finding.value is not None:
            assert 10 <= int(finding.value) <= 97
        if finding.field == "engine.maxNumSeqs" and finding.value is not None:
            assert 1 <= int(finding.value) <= 1024
        if finding.field == "engine.kvCacheMemoryBytes" and finding.value is not None:
            assert 64 * 2**20 <= int(finding.value) <= 2**40
        if finding.field == "engine.maxNumBatchedTokens" and finding.value is not None:
            assert 64 <= int(finding.value) <= 131_072
