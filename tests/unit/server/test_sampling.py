"""Who decides how tokens are picked: the first of client, profile and model that says anything."""

import json
from typing import Any

import pytest
from vibethinker_server.generation import Terms, build_generation
from vibethinker_server.profiles import Profile, ProfileKind
from vibethinker_server.routes import Api
from vibethinker_server.sampling import CHOICES, NO_CHOICE, Sampling, settle_sampling

from tests.support.server_runtime import make_policy

MODEL = Sampling(temperature=0.6, top_p=0.95, top_k=-1)
ADVISED = {"temperature": 0.6, "top_p": 0.95, "top_k": -1}
BODIES: dict[Api, dict[str, Any]] = {
    Api.CHAT: {"messages": [{"role": "user", "content": "hi"}]},
    Api.COMPLETIONS: {"prompt": "hi"},
    Api.RESPONSES: {"input": "hi"},
}


def sent(
    api: Api, *, profile: Sampling = NO_CHOICE, model: Sampling = MODEL, **keys: Any
) -> dict[str, Any]:
    """Returns those keys that say how tokens are picked, of what the engine gets."""
    web = Profile("webui", ProfileKind.WEB_UI, sampling=profile)
    terms = Terms(make_policy(profiles=(web,)), "m", 768, sampling=model)
    body = json.loads(build_generation(api, BODIES[api] | keys, [], terms).body)
    return {key: value for key, value in body.items() if key in CHOICES}


@pytest.mark.parametrize("api", Api)
def test_a_request_that_chooses_nothing_gets_the_models_own(api: Api):
    assert sent(api) == ADVISED
    assert sent(api, temperature=None, top_p=None) == ADVISED  # as OpenAI's clients mean "unset"


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize(
    "choice",
    [
        {"temperature": 0},
        {"top_p": 1},
        {"top_k": 20},
        {"min_p": 0.1},
        {"presence_penalty": 0.5},
        {"frequency_penalty": 0.5},
        {"repetition_penalty": 1.1},
    ],
    ids=lambda choice: next(iter(choice)),
)
def test_a_clients_choice_is_never_mixed_with_another(api: Api, choice: dict[str, Any]):
    assert sent(api, **choice) == choice
    assert sent(api, profile=Sampling(temperature=0.0), **choice) == choice


def test_a_seed_or_a_stop_text_leaves_the_choice_open():
    assert sent(Api.CHAT, seed=7, stop="end", logit_bias={"1": 1}) == ADVISED


def test_a_profiles_choice_is_whole_too():
    assert sent(Api.CHAT, profile=Sampling(temperature=0.0)) == {"temperature": 0.0}
    assert sent(Api.CHAT, profile=Sampling(top_k=-1)) == {"top_k": -1}


def test_an_unknown_model_is_left_to_the_engine():
    assert sent(Api.CHAT, model=NO_CHOICE) == {}


def test_what_an_offer_leaves_open_is_not_written():
    assert settle_sampling({}, NO_CHOICE, Sampling(top_p=0.5), MODEL) == {"top_p": 0.5}
