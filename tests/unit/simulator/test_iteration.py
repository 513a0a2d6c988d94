"""Closed forms of steps against adding them up one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vibethinker_simulator.iteration import CARDS, IterationModel

CONSTANTS = st.floats(1e-9, 1e-3)
MODELS = st.builds(
    IterationModel,
    step=st.floats(1e-4, 0.1),
    token=CONSTANTS,
    kv_token=st.one_of(st.just(0.0), CONSTANTS),
    sequence=CONSTANTS,
    prompt_pair=st.floats(0, 1e-6),
    source=st.just("drawn"),
)
KV = st.integers(0, 200_000)
SEQUENCES = st.integers(1, 256)


def add_up(model: IterationModel, steps: int, kv_tokens: int, sequences: int) -> float:
    lengths = (kv_tokens + step * sequences for step in range(steps))
    return sum(model.mixed_step(0, 0.0, kv, sequences) for kv in lengths)


@given(MODELS, st.integers(0, 300), KV, SEQUENCES)
def test_decode_steps_are_their_sum(model: IterationModel, steps: int, kv: int, sequences: int):
    together = model.decode_steps(steps, kv, sequences)
    assert together == pytest.approx(add_up(model, steps, kv, sequences), rel=1e-9)


@settings(max_examples=300)
@given(MODELS, st.floats(0, 30), KV, SEQUENCES)
def test_as_many_steps_are_counted_as_end_in_time(
    model: IterationModel, seconds: float, kv: int, sequences: int
):
    steps = model.count_decode_steps(seconds, kv, sequences)
    assert model.decode_steps(steps, kv, sequences) <= seconds * (1 + 1e-6)
    assert model.decode_steps(steps + 1, kv, sequences) >= seconds * (1 - 1e-6)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_step_ends_in_no_time(seconds: float):
    assert CARDS["NVIDIA-L4"].count_decode_steps(seconds, 1000, 8) == 0


@given(MODELS, st.integers(1, 5000), st.integers(1, 5000))
def test_a_prompt_alone_is_its_chunks(model: IterationModel, prompt: int, chunk: int):
    starts = range(0, prompt, chunk)
    chunks = [(done, min(chunk, prompt - done)) for done in starts]
    seconds = sum(model.mixed_step(size, size * (done + size / 2), 0, 0) for done, size in chunks)
    assert model.alone(prompt, chunk) == pytest.approx(seconds, rel=1e-9)


def test_pairs_of_all_chunks_are_those_of_the_whole_prompt():
    model = IterationModel(0.0, 0.0, 0.0, 0.0, 1.0, "pairs only")
    assert model.alone(1000, 1000) == model.alone(1000, 7) == 1000 * 1000 / 2


def test_a_faster_card_takes_no_longer():
    steps = [card.mixed_step(512, 512 * 256, 50_000, 64) for card in CARDS.values()]
    assert steps == sorted(steps, reverse=True)


@pytest.mark.parametrize("card", CARDS.values())
def test_constants_of_data_sheets_say_so(card: IterationModel):
    assert "not measured" in card.source
