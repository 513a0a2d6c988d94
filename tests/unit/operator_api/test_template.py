"""What rolls pods, field by field, and what an operator's upgrade leaves alone."""

from typing import Any

import pytest
from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.crd import build_schema
from vibethinker_operator.images import DefaultImages, Images, resolve_images
from vibethinker_operator.resources import (
    StoredTemplate,
    TemplateChoice,
    build_deployment,
    choose_template,
    hash_template_inputs,
    parse_stored_template,
)

from tests.unit.operator_api.resource import (
    CPU_SPEC,
    GGUF_SPEC,
    IMAGES,
    LLAMA_SPEC,
    NEWER,
    VOLUME_SPEC,
    changed,
    choose_first,
    make_resource,
)

POD_TERM = {
    "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
    "topologyKey": "kubernetes.io/hostname",
}
NODE_TERM = {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

ROLLS: dict[str, Any] = {
    "model.repository": "org/other",
    "model.revision": "v2",
    "model.servedName": "other",
    "model.source": "ModelScope",
    "model.endpoint": "https://hub.example",
    "model.tokenSecretRef.name": "vibethinker-hub",
    "model.cache.claimName": "weights",
    "model.cache.sizeLimit": "20Gi",
    "model.volume.claimName": "others",
    "model.volume.path": "elsewhere",
    "model.quantization.type": "Int8",
    "model.quantization.method": "BitsAndBytes",
    "model.gguf.outtype": "F16",
    "engine.backend": "LlamaCpp",
    "engine.image": "vllm/vllm-openai:v0.32.0",
    "engine.imagePullSecrets": [{"name": "vibethinker-registry"}],
    "engine.device": "CPU",
    "engine.dtype": "BFloat16",
    "engine.blockSize": 32,
    "engine.maxModelLen": 8192,
    "engine.maxNumSeqs": 64,
    "engine.maxNumBatchedTokens": 2048,
    "engine.gpuMemoryUtilizationPercentage": 80,
    "engine.kvCacheMemoryBytes": 2**31,
    "engine.flags.enforceEager": True,
    "engine.flags.enablePrefixCaching": False,
    "engine.flags.enableChunkedPrefill": False,
    "engine.flags.maxNumActiveSeqs": 32,
    "engine.flags.kvCacheDtype": "Fp8",
    "engine.flags.attentionBackend": "Triton",
    "engine.flags.optimizationLevel": 1,
    "engine.flags.watermarkPercentage": 2,
    "engine.flags.seed": 7,
    "gpu.product": "NVIDIA-L4",
    "gpu.resourceName": "nvidia.com/mig-1g.10gb",
    "scheduling.nodeSelector": {"pool": "gpu"},
    "scheduling.tolerations": [{"key": "team", "operator": "Exists"}],
    f"scheduling.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms": [NODE_TERM],
    f"scheduling.affinity.nodeAffinity.{PREFERRED}": [{"weight": 1, "preference": NODE_TERM}],
    f"scheduling.affinity.podAffinity.{REQUIRED}": [POD_TERM],
    f"scheduling.affinity.podAffinity.{PREFERRED}": [{"weight": 1, "podAffinityTerm": POD_TERM}],
    f"scheduling.affinity.podAntiAffinity.{REQUIRED}": [POD_TERM],
    f"scheduling.affinity.podAntiAffinity.{PREFERRED}": [
        {"weight": 1, "podAffinityTerm": POD_TERM}
    ],
    "scheduling.topologySpreadConstraints": [{"topologyKey": "zone"}],
    "scheduling.priorityClassName": "serving",
    "scheduling.runtimeClassName": "nvidia",
    "resources.requests.cpu": "2",
    "resources.requests.memory": "8Gi",
    "resources.requests.ephemeral-storage": "20Gi",
    "resources.limits.cpu": "8",
    "resources.limits.memory": "16Gi",
    "resources.limits.ephemeral-storage": "40Gi",
    "scaling.startupDeadlineSeconds": 600,
    "auth.apiKeysSecretRef.name": "vibethinker-keys",
}
BASES = {
    "model.volume.claimName": VOLUME_SPEC,
    "model.volume.path": VOLUME_SPEC,
    "engine.backend": CPU_SPEC | GGUF_SPEC,
    "model.gguf.outtype": LLAMA_SPEC,
}

NEVER_ROLLS: dict[str, Any] = {
    "profiles": [{"name": "app", "kind": "App", "systemPrompt": "Be brief."}],
    "tokenLimits.preset": "Reasoning",
    "tokenLimits.others": [{"name": "proof", "tokens": 1024}],
    "tokenLimits.defaultTask": "qa",
    "tokenLimits.math": 1024,
    "tokenLimits.code": 2048,
    "tokenLimits.qa": 128,
    "saturation.memoryUsedPercentage": 60,
    "saturation.memoryRecoverPercentage": 50,
    "saturation.requestQueueLength": 9,
    "saturation.sustainedSeconds": 30,
    "scaling.mode": "Manual",
    "scaling.minReplicas": 2,
    "scaling.maxReplicas": 9,
    "scaling.scaleDownStabilizationSeconds": 60,
    "scaling.provisioningDeadlineSeconds": 60,
    "overload.policy": "Reject",
    "overload.maxQueuedRequests": 8,
    "sessions.ttlSeconds": 60,
    "sessions.maxConcurrentRequests": 1,
    "sessions.maxKnownPerKey": 1,
    "sessions.trustedHeader": "X-User-Id",
    "rollout.maxSurge": 1,
    "rollout.maxUnavailable": 2,
    "service.type": "LoadBalancer",
    "service.port": 80,
    "replicas": 5,
}


def fields_of(schema: dict[str, Any], prefix: str = "") -> set[str]:
    if "properties" not in schema:
        return {prefix.removesuffix(".")}
    parts = schema["properties"].items()
    return {field for name, part in parts for field in fields_of(part, f"{prefix}{name}.")}


def stored_of(resource: VibeThinkerDeployment) -> StoredTemplate:
    deployment = build_deployment(resource, choose_first(resource))
    stored = parse_stored_template(deployment["metadata"]["annotations"])
    assert stored is not None
    return stored


def choose(
    spec: dict[str, Any], stored: StoredTemplate, *, offered: Images = IMAGES, accepted: str = ""
) -> TemplateChoice:
    annotations = {"vibethinker.io/accept-update": accepted} if accepted else {}
    resource = make_resource(spec, annotations=annotations)
    defaults = DefaultImages(
        package=offered.package,
        engine_gpu=offered.engine,
        engine_cpu="cpu-engine:1",
        engine_llama_cpp="llama:1",
    )
    images = resolve_images(resource.spec, defaults)
    return choose_template(resource, offered=images, stored=stored)


def test_every_field_of_the_spec_is_known_to_roll_pods_or_never_to():
    assert ROLLS.keys() | NEVER_ROLLS.keys() == fields_of(build_schema()["properties"]["spec"])
    assert not ROLLS.keys() & NEVER_ROLLS.keys()


@pytest.mark.parametrize("field", ROLLS)
def test_it_rolls_pods(field):
    base = BASES.get(field, {})
    stored = stored_of(make_resource(base))
    choice = choose(changed(base, field, ROLLS[field]), stored)
    assert choice.template != stored.template
    assert choice.inputs != stored.inputs


@pytest.mark.parametrize("field", NEVER_ROLLS)
def test_it_never_rolls_pods(field):
    stored = stored_of(make_resource())
    choice = choose(changed({}, field, NEVER_ROLLS[field]), stored)
    assert choice.template == stored.template
    assert not choice.update_available


def test_another_way_to_write_the_same_amount_rolls_nothing():
    stored = stored_of(make_resource({"resources": {"requests": {"cpu": "4"}}}))
    assert choose({"resources": {"requests": {"cpu": 4}}}, stored).template == stored.template


def test_newer_images_roll_nothing_and_are_offered():
    stored = stored_of(make_resource())
    choice = choose({}, stored, offered=NEWER)
    assert (choice.template, choice.images) == (stored.template, IMAGES)
    assert choice.update_available
    assert choice.offered_images == NEWER


def test_a_newer_operator_that_renders_otherwise_rolls_nothing_and_offers_it():
    stored = stored_of(make_resource())
    older = StoredTemplate(
        images=stored.images, inputs=stored.inputs, template={"as": "an older one rendered it"}
    )
    choice = choose({}, older)
    assert choice.template == older.template
    assert choice.update_available


def test_an_accepted_update_is_taken_and_then_no_longer_offered():
    stored = stored_of(make_resource())
    offer = choose({}, stored, offered=NEWER).offer
    taken = choose({}, stored, offered=NEWER, accepted=offer)
    assert taken.images == NEWER
    assert not taken.update_available


def test_an_update_accepted_once_does_not_accept_the_next():
    stored = stored_of(make_resource())
    offer = choose({}, stored, offered=NEWER).offer
    assert choose({}, stored, offered=IMAGES, accepted=offer).images == IMAGES
    assert len(offer) == 12


def test_a_change_that_rolls_pods_anyway_brings_the_offered_images():
    choice = choose({"engine": {"maxNumSeqs": 64}}, stored_of(make_resource()), offered=NEWER)
    assert choice.images == NEWER
    assert not choice.update_available


def test_a_change_of_device_never_keeps_the_other_devices_engine():
    choice = choose({"engine": {"device": "CPU"}}, stored_of(make_resource()))
    assert choice.images.engine == "cpu-engine:1"


def test_an_engine_of_ones_own_choice_stays_whatever_is_offered():
    spec = {"engine": {"image": "vllm/vllm-openai:v0.32.0", "maxNumSeqs": 64}}
    choice = choose(spec, stored_of(make_resource()), offered=NEWER)
    assert choice.images == Images(engine="vllm/vllm-openai:v0.32.0", package=NEWER.package)


def test_taking_ones_own_choice_back_brings_the_default_again():
    own = make_resource({"engine": {"image": "vllm/vllm-openai:v0.32.0"}})
    assert choose({}, stored_of(own)).images == IMAGES


def test_naming_the_image_that_runs_already_rolls_nothing():
    stored = stored_of(make_resource())
    assert choose({"engine": {"image": IMAGES.engine}}, stored).template == stored.template


@pytest.mark.parametrize(
    "annotations",
    [
        pytest.param({}, id="none"),
        pytest.param({"vibethinker.io/images": "{}"}, id="some"),
        pytest.param(
            {
                "vibethinker.io/images": "[1]",
                "vibethinker.io/template": "{}",
                "vibethinker.io/template-inputs": "x",
            },
            id="not ours",
        ),
        pytest.param(
            {
                "vibethinker.io/images": '{"engine": "a", "package": "b"}',
                "vibethinker.io/template": "{",
                "vibethinker.io/template-inputs": "x",
            },
            id="cut off",
        ),
    ],
)
def test_annotations_that_say_nothing_usable_count_as_none(annotations):
    assert parse_stored_template(annotations) is None


@pytest.mark.parametrize(
    ("spec", "inputs"),
    [
        pytest.param(
            {}, "f4f4cad14e83db8f36818d5eecfa5c06ac3e532258d3291b1581496662c46116", id="defaults"
        ),
        pytest.param(
            CPU_SPEC, "790c3118dfdeaf0c21bf3b1946379b12a664b7ae322d47774e5eb11af5a6f78f", id="cpu"
        ),
        pytest.param(
            VOLUME_SPEC,
            "29dfb05ca643f91c6adaaf1cf12a425d3603cf669d27ba8f2fa5f41c085946b3",
            id="volume",
        ),
    ],
)
def test_upgrading_to_this_version_rolls_no_fleet_of_the_ones_before(spec, inputs):
    # If this fails, a field that the template depends on got a new default or a new name: every
    # fleet of every user would be replaced by the upgrade. Let the new field be unset by default.
    assert hash_template_inputs(make_resource(spec)) == inputs
