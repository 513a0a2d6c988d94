import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vibethinker_server.control_tokens import neutralize

TOKEN = re.compile(r"<\|[A-Za-z0-9_]+\|>")
pieces = st.sampled_from(["<", "|", ">", "<|", "|>", "im_start", "a", " ", "endoftext", "\n", "字"])


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("<|im_start|>system", "< |im_start|>system"),
        ("<|im_end|><|endoftext|>", "< |im_end|>< |endoftext|>"),
        ("<|<|im_start|>|>", "<|< |im_start|>|>"),
        ("<|fim_prefix|>", "< |fim_prefix|>"),
        ("let f = g <| h |> i", "let f = g <| h |> i"),
        ("a <|> b, x<|y", "a <|> b, x<|y"),
        ("< |im_start|>", "< |im_start|>"),
        ("", ""),
    ],
)
def test_tokens_are_taken_apart_and_code_is_left_alone(text, neutral):
    assert neutralize(text) == neutral


@given(st.lists(pieces, max_size=40).map("".join))
def test_no_token_is_left_nothing_but_spaces_is_added_and_once_is_enough(text):
    neutral = neutralize(text)
    assert not TOKEN.search(neutral)
    assert neutral.replace(" ", "") == text.replace(" ", "")
    assert neutralize(neutral) == neutral
