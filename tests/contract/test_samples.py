"""What each sample is for, and that operator and server obey it."""

import json
from dataclasses import dataclass

import pytest
from vibethinker_operator import names
from vibethinker_operator.api import Spec, VibeThinkerDeployment, parse_deployment
from vibethinker_operator.figures import Figures
from vibethinker_operator.fit import assess_fit
from vibethinker_operator.images import DefaultImages, resolve_images
from vibethinker_operator.kv import assess_capacity, assess_memory_line
from vibethinker_operator.manifests.samples import SAMPLES, Sample
from vibethinker_operator.policy import build_scaling_policy
from vibethinker_operator.prepared_model import find_prepared_model
from vibethinker_operator.resources import render_policy
from vibethinker_operator.resources.engine_settings import render_engine_settings
from vibethinker_server.engine_settings import parse_engine_settings
from vibethinker_server.policy import Policy
from vibethinker_server.policy_document import parse_policy
from vibethinker_server.profiles import choose_profile

from tests.unit.deciding.builders import GB, Load, Story

BY_FILE = {sample.file: sample for sample in SAMPLES}
EACH = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
DEFAULTS = DefaultImages(package="p", engine_gpu="g", engine_llama_cpp="l")


def resource_of(sample: Sample) -> VibeThinkerDeployment:
    metadata = sample.resource["metadata"] | {"namespace": "default", "uid": "u", "generation": 1}
    return parse_deployment(sample.resource | {"metadata": metadata})


def spec_of(file: str) -> Spec:
    return resource_of(BY_FILE[file]).spec


def policy_of(sample: Sample) -> Policy:
    return parse_policy(json.dumps(render_policy(resource_of(sample))))


@EACH
def test_the_operator_obeys_it(sample):
    assert resolve_images(resource_of(sample).spec, DEFAULTS).engine


@EACH
def test_a_server_starts_with_it_and_obeys_its_policy(sample):
    settings = render_engine_settings(resource_of(sample).spec)
    assert parse_engine_settings(json.dumps(settings)).model
    assert policy_of(sample).generation == 1


@pytest.mark.parametrize(
    ("file", "reachable"),
    [
        ("t4.yaml", True),
        ("t4-few-sequences.yaml", False),
        ("advisory-fleet.yaml", True),
        ("manual-hpa.yaml", True),
        ("app-preset.yaml", True),
        ("webui-and-app.yaml", True),
        ("cpu.yaml", None),
    ],
)
def test_whether_its_memory_line_can_be_crossed_is_what_its_text_says(file, reachable):
    assert assess_memory_line(spec_of(file)).reachable is reachable


def test_the_line_on_cpu_can_be_crossed_with_what_its_processes_take():
    # Weights of 3.1 GB in BFloat16 and the 1.9 GB that vLLM's processes were measured to take.
    spec = spec_of("cpu.yaml")
    assert assess_memory_line(spec, Figures(non_kv_bytes=5_000_000_000)).reachable is True


def test_a_beginners_card_is_one_and_the_fleet_says_that_it_stays_one():
    story = Story(build_scaling_policy(spec_of("t4.yaml")))
    decision = story.sweeps(30, Load(waiting=90))[-1]
    assert (decision.desired, decision.limited.reason) == (1, "TooManyReplicas")
    assert story.sweeps(60)[-1].limited.reason == "FixedReplicas"


def test_one_card_serves_the_app_by_its_preset_and_people_by_their_own():
    profiles = policy_of(BY_FILE["webui-and-app.yaml"]).profiles
    bound = choose_profile(profiles, "app", [b"webui"])
    people = choose_profile(profiles, "people", [])
    assert (bound.name, people.name) == ("app", "webui")
    assert bound.system_prompt


@dataclass(frozen=True)
class Advice:
    load: Load
    least: int
    most: int


@pytest.mark.parametrize(
    "advice",
    [
        pytest.param(Advice(Load(kv=40 * 15 * GB, running=900), 41, 60), id="a crowd"),
        pytest.param(Advice(Load(waiting=900), 41, 60), id="a queue"),
        pytest.param(Advice(Load(kv=2 * GB), 20, 39), id="a calm night"),
    ],
)
def test_a_fleet_of_forty_is_advised_and_never_changed(advice):
    policy = build_scaling_policy(spec_of("advisory-fleet.yaml"))
    story = Story(policy, replicas=40)
    decisions = story.sweeps(360, advice.load)
    assert {decision.desired for decision in decisions} == {40}
    assert advice.least <= decisions[-1].recommended <= advice.most
    assert decisions[-1].active.reason == "AdvisoryMode"
    assert decisions[-1].growth.growth.value == "NotOurs"


def test_an_hpa_is_beside_a_manual_fleet_and_names_it():
    sample = BY_FILE["manual-hpa.yaml"]
    (hpa,) = sample.beside
    target = {"apiVersion": names.API_VERSION, "kind": names.KIND, "name": sample.name}
    assert hpa["spec"]["scaleTargetRef"] == target
    assert spec_of("manual-hpa.yaml").scaling.mode.value == "Manual"
    assert "replicas" not in sample.spec


@pytest.mark.parametrize("file", ["int8.yaml", "llama-cpp.yaml"])
def test_weights_that_a_job_writes_have_their_claim_beside_them(file):
    sample = BY_FILE[file]
    (claim,) = sample.beside
    model = spec_of(file).model
    assert claim["metadata"]["name"] == model.cache.claim_name
    assert find_prepared_model(model) is not None


def test_the_small_machines_pool_holds_what_its_text_says():
    capacity = assess_capacity(spec_of("llama-cpp.yaml"))
    assert capacity is not None
    assert capacity.sequences == 9


def test_eight_bit_weights_take_of_a_t4_what_the_text_says():
    floats, eight = (assess_fit(spec_of(file)) for file in ("t4.yaml", "int8.yaml"))
    assert (floats.weights_bytes, eight.weights_bytes) == (3_087_428_608, 1_779_813_376)
    assert round(100 * ((eight.tokens or 0) / (floats.tokens or 1) - 1)) == 14
