"""Operator and server share no code: their tables of the known models say the same."""

import pytest
from vibethinker_operator.api import Spec, TokenPreset
from vibethinker_operator.model_sizes import MODEL_SIZES
from vibethinker_operator.token_limits import PRESETS
from vibethinker_server.known_models import KNOWN_MODELS, KnownModel


def test_both_know_the_same_models_and_the_default_is_one():
    assert set(MODEL_SIZES) == {model.repository for model in KNOWN_MODELS}
    assert Spec().model.repository in MODEL_SIZES


@pytest.mark.parametrize("model", KNOWN_MODELS, ids=lambda model: model.repository)
def test_both_count_alike(model: KnownModel):
    size = MODEL_SIZES[model.repository]
    assert size.parameters == model.parameters
    assert size.kv_token_bytes(2) == 2 * model.kv.values_per_token


@pytest.mark.parametrize("model", KNOWN_MODELS, ids=lambda model: model.repository)
def test_both_recommend_the_same_caps(model: KnownModel):
    assert {name: dict(caps) for name, caps in model.caps.items()} == {
        preset.value: dict(PRESETS[preset]) for preset in TokenPreset
    }
