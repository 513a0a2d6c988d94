import pytest
from vibethinker_server.one_click.engine_failures import explain_failure, last_lines

from tests.unit.doctor.texts import ENDS, End

WARNINGS = {"VariableGone", "PracticeGone"}


@pytest.mark.parametrize("end", [end for end in ENDS if end.code not in WARNINGS])
def test_what_the_engine_says_is_found_in_its_log(end: End):
    log = f"INFO starting\n{end.text}\nEngine core initialization failed.\n"
    said = explain_failure(log, {})
    assert said is not None
    assert "spec." not in said


def test_the_remedy_is_what_to_say_to_start():
    said = explain_failure(
        "Bfloat16 is only supported on GPUs with compute capability of at least 8.0.", {}
    )
    assert said is not None
    assert said.endswith("--set dtype=Float16")


def test_its_value_is_computed_from_the_settings():
    log = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    said = explain_failure(log, {"maxNumBatchedTokens": 4096, "maxNumSeqs": 64})
    assert said is not None
    assert said.endswith("--set maxNumBatchedTokens=2048")


@pytest.mark.parametrize(
    "log",
    [
        "Engine core initialization failed. See root cause above.",
        "Unknown vLLM environment variable detected: VLLM_USE_V1",
        "",
    ],
)
def test_what_nobody_knows_or_what_ended_nothing_is_not_guessed(log: str):
    assert explain_failure(log, {}) is None


def test_the_end_of_a_log_is_indented():
    assert last_lines("a\nb\nc", 2) == "    b\n    c"
