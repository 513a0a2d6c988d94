"""What the operator writes into a pod's environment is what the server in it reads."""

import json
from typing import Any

import pytest
from vibethinker_operator import names
from vibethinker_operator.api import parse_deployment
from vibethinker_operator.resources import render_policy
from vibethinker_operator.resources.engine_settings import render_engine_settings
from vibethinker_operator.resources.llama_args import render_llama_args
from vibethinker_server import names as server_names
from vibethinker_server.engine_settings import parse_engine_settings
from vibethinker_server.llama_cpp.command import render_llama_args as render_server_llama_args
from vibethinker_server.ops_server import MAX_BODY_BYTES
from vibethinker_server.policy import SessionLimits
from vibethinker_server.policy_document import parse_policy
from vibethinker_server.profiles import ClientSystemMessages, Isolation, Profile, ProfileKind
from vibethinker_server.sampling import Sampling

CPU = {
    "engine": {"device": "CPU", "kvCacheMemoryBytes": 2**30},
    "resources": {"limits": {"memory": "6Gi"}},
}
VOLUME = {"model": {"source": "Volume", "volume": {"claimName": "models", "path": "a/b"}}}
EVERY_FLAG = {
    "enforceEager": True,
    "enablePrefixCaching": False,
    "enableChunkedPrefill": True,
    "maxNumActiveSeqs": 32,
    "kvCacheDtype": "Fp8",
    "attentionBackend": "FlashInfer",
    "optimizationLevel": 1,
    "watermarkPercentage": 2,
    "seed": 7,
}
SPECS = [
    pytest.param({}, id="defaults"),
    pytest.param(CPU, id="cpu"),
    pytest.param(VOLUME, id="volume"),
    pytest.param({"model": {"source": "ModelScope"}}, id="modelscope"),
    pytest.param({"engine": {"maxModelLen": 131_072}}, id="longest"),
    pytest.param({"engine": {"flags": EVERY_FLAG}}, id="every flag"),
]


def resource_of(spec: dict[str, Any]) -> Any:
    metadata = {"name": "chat", "namespace": "team", "uid": "u", "generation": 3}
    return parse_deployment({"metadata": metadata, "spec": spec})


@pytest.mark.parametrize("spec", SPECS)
def test_the_server_reads_what_the_operator_means(spec):
    written = render_engine_settings(resource_of(spec).spec)
    read = parse_engine_settings(json.dumps(written))
    assert read.model_dump(mode="json", by_alias=True) == {"backend": "VLLM"} | written | {
        "flags": dict.fromkeys(EVERY_FLAG) | written["flags"]
    }


LLAMA = {
    "model": {"gguf": {}, "cache": {"claimName": "weights"}},
    "engine": {"backend": "LlamaCpp", "device": "CPU", "kvCacheMemoryBytes": 2**30},
    "resources": {"limits": {"memory": "6Gi", "cpu": "2500m"}},
}


def test_the_server_reads_what_the_operator_means_for_llama_cpp():
    written = render_engine_settings(resource_of(LLAMA).spec)
    read = parse_engine_settings(json.dumps(written))
    assert (read.backend.value, read.model) == ("LlamaCpp", written["model"])


def test_both_sides_start_llama_server_alike():
    spec = resource_of(LLAMA).spec
    settings = parse_engine_settings(json.dumps(render_engine_settings(spec)))
    address = server_names.LLAMA_SERVER_ADDRESS
    assert render_llama_args(spec) == render_server_llama_args(settings, address, 3)


def test_every_flag_of_the_resource_is_one_that_the_server_renders():
    flags = resource_of({"engine": {"flags": EVERY_FLAG}}).spec.engine.flags
    assert flags.model_dump(mode="json").keys() == EVERY_FLAG.keys()


def test_the_server_reads_the_policy_that_the_operator_writes():
    resource = resource_of(
        {"saturation": {"memoryUsedPercentage": 60, "memoryRecoverPercentage": 5}}
    )
    policy = parse_policy(json.dumps(render_policy(resource)))
    assert policy.generation == 3
    assert policy.saturation.memory_used_ratio == 0.6
    assert dict(policy.token_limits) == {"math": 512, "code": 768, "qa": 256}
    assert policy.default_task == "code"


def test_the_server_obeys_the_profiles_that_the_operator_writes():
    app = {
        "name": "app",
        "kind": "App",
        "systemPrompt": "Be brief.",
        "clientSystemMessages": "Drop",
        "apiKeys": ["shop"],
    }
    web = {
        "name": "web",
        "kind": "WebUI",
        "maxSystemPromptCharacters": 10,
        "isolation": "Key",
        "timeToFirstTokenSeconds": 5,
        "sampling": {"temperaturePercentage": 0, "topPPercentage": 95},
    }
    auth = {"apiKeysSecretRef": {"name": "vibethinker-keys"}}
    document = render_policy(resource_of({"profiles": [web, app], "auth": auth}))
    assert parse_policy(json.dumps(document)).profiles == (
        Profile(
            "web",
            ProfileKind.WEB_UI,
            max_system_prompt_characters=10,
            isolation=Isolation.KEY,
            first_token_seconds=5.0,
            sampling=Sampling(temperature=0.0, top_p=0.95),
        ),
        Profile(
            "app",
            ProfileKind.APP,
            "Be brief.",
            ClientSystemMessages.DROP,
            api_keys=frozenset({"shop"}),
            isolation=Isolation.SESSION,
            first_token_seconds=1.0,
        ),
    )


@pytest.mark.parametrize(
    ("model", "repository"),
    [
        ({}, "WeiboAI/VibeThinker-1.5B"),
        ({"repository": "WeiboAI/VibeThinker-3B"}, "WeiboAI/VibeThinker-3B"),
        (VOLUME["model"], ""),
    ],
)
def test_the_server_is_told_what_the_weights_were_made_from(model, repository):
    document = render_policy(resource_of({"model": model}))
    assert parse_policy(json.dumps(document)).repository == repository


def test_the_server_obeys_the_session_limits_that_the_operator_writes():
    limits = {
        "ttlSeconds": 60,
        "maxConcurrentRequests": 2,
        "maxKnownPerKey": 9,
        "trustedHeader": "X-OpenWebUI-Chat-Id",
    }
    auth = {"apiKeysSecretRef": {"name": "vibethinker-keys"}}
    document = render_policy(resource_of({"sessions": limits, "auth": auth}))
    read = parse_policy(json.dumps(document)).sessions
    assert read == SessionLimits(60.0, 2, 9, b"x-openwebui-chat-id")
    unset = parse_policy(json.dumps(render_policy(resource_of({})))).sessions
    assert unset == SessionLimits()  # both sides have the same defaults


def test_the_largest_policy_fits_into_what_a_pod_reads_at_once():
    longest = [
        {"name": f"{'a' * 39}{number}", "kind": "App", "systemPrompt": "\U0001f600" * 4096}
        for number in range(8)
    ]
    document = render_policy(resource_of({"profiles": longest}))
    peers = ["fd00:1111:2222:3333:4444:5555:6666:7777"] * 1000  # maxReplicas may be that many
    message = json.dumps({"policy": document, "lease": {"peers": peers}})
    assert len(message) < MAX_BODY_BYTES - 16 * 1024


PREPARING = ("ENV_PREPARE", "ENV_TERMINATION_LOG", "ENV_ENGINE_MEMORY_LIMIT")


def test_both_sides_spell_routes_files_and_variables_alike():
    shared = ("PATH_READY", "PATH_DRAIN", "PATH_FLEET", "PATH_METRICS", "PATH_HEALTH")
    for name in (*shared, "ENV_ENGINE", "ENV_POD_NAME", "ENV_CPUS", "ENV_API_KEYS", *PREPARING):
        assert getattr(names, name) == getattr(server_names, name), name
    files = {
        f"{names.POLICY_PATH}/{names.POLICY_KEY}": server_names.POLICY_FILE,
        f"{names.FLEET_PATH}/{names.FLEET_TICKET_KEY}": server_names.TICKET_KEY_FILE,
        f"{names.FLEET_PATH}/{names.FLEET_TOKEN}": server_names.FLEET_TOKEN_FILE,
        f"{names.HUB_PATH}/{names.HUB_TOKEN}": server_names.HUB_TOKEN_FILE,
    }
    for path, file in files.items():
        assert path == f"{server_names.FILES_PATH}/{file}"
