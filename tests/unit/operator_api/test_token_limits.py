import pytest
from vibethinker_operator.token_limits import PRESETS, resolve_token_limits

from tests.unit.operator_api.resource import make_resource

ARTICLE = {"math": 512, "code": 768, "qa": 256}


@pytest.mark.parametrize(
    ("spec", "limits"),
    [
        pytest.param({}, ARTICLE, id="nothing written"),
        pytest.param({"tokenLimits": {"code": 1024}}, ARTICLE | {"code": 1024}, id="one written"),
        pytest.param(
            {"tokenLimits": {"preset": "Reasoning"}},
            {"math": 3072, "code": 3072, "qa": 2048},
            id="a preset that the model's length bounds",
        ),
        pytest.param(
            {"tokenLimits": {"preset": "Reasoning"}, "engine": {"maxModelLen": 32_768}},
            {"math": 16_384, "code": 16_384, "qa": 2048},
            id="a preset whole",
        ),
        pytest.param(
            {"tokenLimits": {"preset": "Reasoning", "qa": 4000}},
            {"math": 3072, "code": 3072, "qa": 4000},
            id="what is written holds as written",
        ),
        pytest.param(
            {"tokenLimits": {"others": [{"name": "proof", "tokens": 2000}]}},
            ARTICLE | {"proof": 2000},
            id="a further task",
        ),
        pytest.param(
            {"engine": {"maxModelLen": 256, "maxNumBatchedTokens": 256}},
            {"math": 192, "code": 192, "qa": 192},
            id="a short model",
        ),
    ],
)
def test_caps_are_those_written_else_the_presets(spec, limits):
    assert resolve_token_limits(make_resource(spec).spec) == limits


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("length", [256, 4096, 131_072])
def test_a_preset_leaves_room_for_a_prompt_at_every_length(preset, length):
    spec = {"tokenLimits": {"preset": preset}, "engine": {"maxModelLen": length}}
    limits = resolve_token_limits(make_resource(spec).spec)
    assert all(1 <= tokens <= length * 3 / 4 for tokens in limits.values())
