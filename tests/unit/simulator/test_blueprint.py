"""What a pod is like, by its resource and its card, and whose pods nothing is known of."""

from typing import Any

import pytest
from vibethinker_operator.kv import assess_memory_line
from vibethinker_simulator.blueprint import BlueprintError, UnknownCardError, build_blueprint
from vibethinker_simulator.iteration import CARDS

from tests.unit.simulator.builders import make_blueprint, make_resource


@pytest.mark.parametrize("product", CARDS)
def test_every_card_whose_speed_is_known_has_a_pod(product: str):
    blueprint = make_blueprint(gpu={"product": product})
    assert blueprint.speed is CARDS[product]
    assert blueprint.pool_bytes == blueprint.shape.pool_tokens * blueprint.token_bytes or (
        0 <= blueprint.pool_bytes - blueprint.shape.pool_tokens * blueprint.token_bytes < 2**20
    )


@pytest.mark.parametrize("product", ["", "NVIDIA-A30", "NVIDIA-B200"])
def test_a_card_that_is_not_known_lists_those_that_are(product: str):
    with pytest.raises(UnknownCardError, match=r"spec\.gpu\.product.*Tesla-T4, NVIDIA-L4"):
        make_blueprint(gpu={"product": product})


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"model": {"repository": "WeiboAI/VibeThinker-3B"}}, r"spec\.model: how fast WeiboAI"),
        (
            {
                "engine": {"device": "CPU", "kvCacheMemoryBytes": 2**30},
                "resources": {"limits": {"memory": "8Gi"}},
            },
            r"spec\.engine\.device: how fast a CPU is",
        ),
        ({"engine": {"kvCacheMemoryBytes": 2**26}}, "less than one sequence"),
        ({"engine": {"gpuMemoryUtilizationPercentage": 25}}, "no engine can start"),
    ],
)
def test_a_pod_that_nothing_can_be_said_of_is_refused_by_its_field(spec: dict[str, Any], said: str):
    with pytest.raises(BlueprintError, match=said):
        make_blueprint(**spec)


def test_a_full_pool_is_the_operators_own_highest_ratio():
    resource = make_resource(engine={"maxNumSeqs": 256, "maxModelLen": 40_960})
    blueprint = build_blueprint(resource)
    reach = assess_memory_line(resource.spec)
    assert reach.percentage is not None
    assert 100 * blueprint.live_ratio(1.0) == pytest.approx(reach.percentage, abs=1)
    assert blueprint.live_ratio(0.0) < 0.4
