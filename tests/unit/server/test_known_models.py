"""The table of models: who is known, by which names, and what is advised for it."""

import pytest
from vibethinker_server.known_models import (
    KNOWN_MODELS,
    VIBETHINKER_1_5B,
    VIBETHINKER_3B,
    KnownModel,
    find_known_model,
)
from vibethinker_server.sampling import Sampling


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("WeiboAI/VibeThinker-1.5B", VIBETHINKER_1_5B),
        ("weiboai/vibethinker-1.5b", VIBETHINKER_1_5B),
        ("VibeThinker-1.5B", VIBETHINKER_1_5B),
        ("/models/VibeThinker-1.5B/", VIBETHINKER_1_5B),
        ("VibeThinker 3B", VIBETHINKER_3B),
        ("./VibeThinker-3B", VIBETHINKER_3B),
    ],
)
def test_a_model_is_known_by_its_repository_and_by_what_files_call_it(name: str, model: KnownModel):
    assert find_known_model(name) is model


@pytest.mark.parametrize(
    "name",
    ["", "/", "Qwen/Qwen2.5-1.5B", "somebody/VibeThinker-1.5B", "/WeiboAI/VibeThinker-1.5B/int8"],
)
def test_another_owners_model_and_an_unknown_name_are_not_guessed_at(name: str):
    assert find_known_model(name) is None


def test_the_authors_advice_is_as_their_readme_has_it():
    assert VIBETHINKER_1_5B.sampling == Sampling(temperature=0.6, top_p=0.95, top_k=-1)
    assert VIBETHINKER_1_5B.answer_tokens == 40_960
    assert VIBETHINKER_3B.sampling == Sampling(temperature=1.0, top_p=0.95, top_k=-1)


def test_the_kv_of_a_token_follows_from_the_shape():
    # In two bytes: 28,672 and 36,864.
    assert [2 * model.kv.values_per_token for model in KNOWN_MODELS] == [28_672, 36_864]
