import pytest
from vibethinker_server.one_click.engine_failures import REMEDIES, explain_failure, last_lines


@pytest.mark.parametrize("text", REMEDIES)
def test_what_the_engine_says_is_found_in_its_log(text: str):
    log = f"INFO starting\nRuntimeError: {text} (1.0 GiB)\nEngine core initialization failed.\n"
    assert explain_failure(log) == REMEDIES[text]


def test_what_nobody_knows_is_not_guessed():
    assert explain_failure("Engine core initialization failed. See root cause above.") is None


def test_the_end_of_a_log_is_indented():
    assert last_lines("a\nb\nc", 2) == "    b\n    c"
