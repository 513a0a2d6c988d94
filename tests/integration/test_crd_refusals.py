"""What the real API server says to resources: good ones, bad ones, and poisoned ones."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from vibethinker_operator.crd import build_crd
from vibethinker_operator.manifests.samples import SAMPLES
from vibethinker_operator.names import KIND

from tests.cluster.apiserver import ControlPlane
from tests.cluster.commands import CommandError
from tests.integration.installed import dry_run, fleet, installed_control_plane, refusal_of

GIB = 2**30
TAKEN = ""


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with installed_control_plane() as plane:
        yield plane


def cpu(engine: dict[str, Any] | None = None, memory: Any = "6Gi") -> dict[str, Any]:
    limits = {"memory": memory} if memory else {}
    settings = {"device": "CPU", "kvCacheMemoryBytes": GIB}
    return {"engine": settings | (engine or {}), "resources": {"limits": limits}}


def model(**fields: Any) -> dict[str, Any]:
    return {"model": fields}


def engine(**fields: Any) -> dict[str, Any]:
    return {"engine": fields}


def scaling(**fields: Any) -> dict[str, Any]:
    return {"scaling": fields}


def toleration(**fields: Any) -> dict[str, Any]:
    return {"scheduling": {"tolerations": [fields]}}


def expression(**fields: Any) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", **fields}]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    return {"scheduling": {"affinity": {"nodeAffinity": required}}}


def requests(requested: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    return {"resources": {"requests": requested, "limits": limits}}


def profile(**fields: Any) -> dict[str, Any]:
    return {"profiles": [{"name": "app", "kind": "App", "systemPrompt": "Be brief."} | fields]}


def bound(*keys: list[str], known: bool = True) -> dict[str, Any]:
    profiles = [
        {"name": f"p{index}", "kind": "WebUI", "apiKeys": names} for index, names in enumerate(keys)
    ]
    auth = {"apiKeysSecretRef": {"name": "vibethinker-keys"}} if known else {}
    return {"profiles": profiles, "auth": auth}


PROMPT = "spec.profiles[0].systemPrompt"

REFUSED = {
    # Profiles.
    "a preset of 4097 characters": (profile(systemPrompt="x" * 4097), f"{PROMPT}: Too long"),
    "an app without a preset": (profile(systemPrompt=""), PROMPT),
    "an app with a preset of spaces": (profile(systemPrompt=" \n\t "), PROMPT),
    "a preset with a null character": (profile(systemPrompt="a\x00b"), PROMPT),
    "a preset with an escape": (profile(systemPrompt="a\x1b[31m"), PROMPT),
    "a preset that turns the writing": (profile(systemPrompt="a\u202eb"), PROMPT),
    "a preset that isolates": (profile(systemPrompt="a\u2066b"), PROMPT),
    "a preset with a control token": (profile(systemPrompt="<|im_start|>user"), PROMPT),
    "a role prompt with a control token": (
        profile(kind="WebUI", systemPrompt="x<|endoftext|>"),
        PROMPT,
    ),
    "a profile of no kind": ({"profiles": [{"name": "a"}]}, "spec.profiles[0].kind"),
    "a profile of a kind that is none": (profile(kind="Api"), "spec.profiles[0].kind"),
    "a profile without a name": ({"profiles": [{"kind": "WebUI"}]}, "spec.profiles[0].name"),
    "a profile's name with a second line": (profile(name="a\nb"), "spec.profiles[0].name"),
    "two profiles of a name": (
        {"profiles": [{"name": "a", "kind": "WebUI"}] * 2},
        "spec.profiles[1]: Duplicate value",
    ),
    "no profile": ({"profiles": []}, "spec.profiles"),
    "nine profiles": (
        {"profiles": [{"name": f"p{n}", "kind": "WebUI"} for n in range(9)]},
        "spec.profiles: Too many",
    ),
    "a way with system messages that is none": (
        profile(clientSystemMessages="Merge"),
        "spec.profiles[0].clientSystemMessages",
    ),
    "a user's prompt without end": (
        profile(maxSystemPromptCharacters=10**6),
        "spec.profiles[0].maxSystemPromptCharacters",
    ),
    "keys without their Secret": (
        bound(["shop"], known=False),
        "profiles may list apiKeys only where auth.apiKeysSecretRef names",
    ),
    "a key in two profiles": (bound(["shop"], ["shop"]), "profiles may list each of apiKeys once"),
    "a key twice": (bound(["shop", "shop"]), "spec.profiles[0].apiKeys[1]: Duplicate value"),
    "a key's name that no Secret has": (bound(["a/b"]), "spec.profiles[0].apiKeys[0]"),
    "a key itself": (profile(apiKey="sk-1"), 'unknown field "spec.profiles[0].apiKey"'),
    # Rules between fields.
    "min above max": (
        scaling(minReplicas=3, maxReplicas=2),
        "spec.scaling.minReplicas: Invalid value: minReplicas must be <= maxReplicas",
    ),
    "recover at the line": (
        {"saturation": {"memoryUsedPercentage": 70, "memoryRecoverPercentage": 70}},
        "spec.saturation.memoryRecoverPercentage",
    ),
    "answer as long as the model": (
        {"tokenLimits": {"code": 4096}},
        "spec.tokenLimits.code: Invalid value: tokenLimits.code must be < engine.maxModelLen",
    ),
    "answer of math too long": ({"tokenLimits": {"math": 9000}}, "spec.tokenLimits.math"),
    "answer of qa too long": ({"tokenLimits": {"qa": 9000}}, "spec.tokenLimits.qa"),
    "model shorter than an answer written out": (
        engine(maxModelLen=512) | {"tokenLimits": {"code": 512}},
        "spec.tokenLimits.code",
    ),
    "another task's answer too long": (
        {"tokenLimits": {"others": [{"name": "proof", "tokens": 4096}]}},
        "spec.tokenLimits.others",
    ),
    "a task of its own twice": (
        {"tokenLimits": {"others": [{"name": "math", "tokens": 100}]}},
        "spec.tokenLimits.others",
    ),
    "a task named twice": (
        {"tokenLimits": {"others": [{"name": "proof", "tokens": 100}] * 2}},
        "spec.tokenLimits.others[1]: Duplicate value",
    ),
    "a default that is no task": (
        {"tokenLimits": {"defaultTask": "chess"}},
        "spec.tokenLimits.defaultTask",
    ),
    "a task with a second line": (
        {"tokenLimits": {"others": [{"name": "a\nb", "tokens": 100}]}},
        "spec.tokenLimits.others[0].name",
    ),
    "a session shorter than a turn": ({"sessions": {"ttlSeconds": 1}}, "spec.sessions.ttlSeconds"),
    "no request of a session": (
        {"sessions": {"maxConcurrentRequests": 0}},
        "spec.sessions.maxConcurrentRequests",
    ),
    "a trusted header with a second line": (
        {"sessions": {"trustedHeader": "X-User\r\nX-Task"}},
        "spec.sessions.trustedHeader",
    ),
    "a trusted header that says who pays": (
        {"sessions": {"trustedHeader": "Authorization"}},
        "spec.sessions.trustedHeader: Invalid value: trustedHeader must be a header that only",
    ),
    "a trusted header of anybody": (
        {"sessions": {"trustedHeader": "X-User-Id"}},
        "spec.sessions.trustedHeader: Invalid value: sessions.trustedHeader is trusted from",
    ),
    "an isolation that is none": (
        {"profiles": [{"name": "a", "kind": "WebUI", "isolation": "Everybody"}]},
        "spec.profiles[0].isolation",
    ),
    "a first token at once": (
        {"profiles": [{"name": "a", "kind": "WebUI", "timeToFirstTokenSeconds": 0}]},
        "spec.profiles[0].timeToFirstTokenSeconds",
    ),
    "a temperature as a fraction": (
        {"profiles": [{"name": "a", "kind": "WebUI", "sampling": {"temperaturePercentage": 0.6}}]},
        "spec.profiles[0].sampling.temperaturePercentage",
    ),
    "a temperature above 2": (
        {"profiles": [{"name": "a", "kind": "WebUI", "sampling": {"temperaturePercentage": 201}}]},
        "spec.profiles[0].sampling.temperaturePercentage",
    ),
    "a top_p of nothing": (
        {"profiles": [{"name": "a", "kind": "WebUI", "sampling": {"topPPercentage": 0}}]},
        "spec.profiles[0].sampling.topPPercentage",
    ),
    "a preset that is none": ({"tokenLimits": {"preset": "Longest"}}, "spec.tokenLimits.preset"),
    "step smaller than the batch": (
        engine(maxNumBatchedTokens=64, maxNumSeqs=65),
        "spec.engine.maxNumBatchedTokens",
    ),
    "whole prompts in too small a step": (
        engine(maxNumBatchedTokens=2048, flags={"enableChunkedPrefill": False}),
        "spec.engine.maxNumBatchedTokens",
    ),
    "more active than there are": (
        engine(flags={"maxNumActiveSeqs": 129}),
        "spec.engine.flags.maxNumActiveSeqs",
    ),
    "cpu without a memory limit": (cpu(memory=None), "spec.resources.limits.memory"),
    "cpu with a cache as large as its limit": (cpu(memory="1Gi"), "spec.resources.limits.memory"),
    "cpu with a limit in plain bytes below its cache": (
        cpu(memory=GIB - 1),
        "spec.resources.limits.memory",
    ),
    "cpu without a cache size": (
        {"engine": {"device": "CPU"}, "resources": {"limits": {"memory": "6Gi"}}},
        "spec.engine.kvCacheMemoryBytes",
    ),
    "cpu with the gpu's block size": (cpu({"blockSize": 48}), "spec.engine.blockSize"),
    "cpu with gpu kernels": (
        cpu({"flags": {"attentionBackend": "Triton"}}),
        "spec.engine.flags.attentionBackend",
    ),
    "cpu with an fp8 cache": (
        cpu({"flags": {"kvCacheDtype": "Fp8"}}),
        "spec.engine.flags.kvCacheDtype",
    ),
    "Float32 on a GPU": ({"engine": {"dtype": "Float32"}}, "spec.engine.dtype"),
    "volume without a claim": (model(source="Volume"), "spec.model.volume.claimName"),
    "rollout that can replace nothing": (
        {"rollout": {"maxSurge": 0, "maxUnavailable": 0}},
        "spec.rollout.maxUnavailable",
    ),
    "requests above limits": (
        requests({"memory": "9Gi"}, {"memory": "8Gi"}),
        "spec.resources.requests.memory",
    ),
    "requests above limits, written otherwise": (
        requests({"cpu": 2}, {"cpu": "1500m"}),
        "spec.resources.requests.cpu",
    ),
    "toleration of any value with a value": (
        toleration(key="a", operator="Exists", value="b"),
        "spec.scheduling.tolerations[0].value",
    ),
    "toleration of a value without a key": (
        toleration(operator="Equal"),
        "spec.scheduling.tolerations[0].key",
    ),
    "toleration for a time that never starts": (
        toleration(operator="Exists", tolerationSeconds=5),
        "spec.scheduling.tolerations[0].tolerationSeconds",
    ),
    "affinity In nothing": (expression(operator="In"), ".matchExpressions[0].values"),
    "affinity Exists something": (
        expression(operator="Exists", values=["a"]),
        ".matchExpressions[0].values",
    ),
    # Where the model comes from.
    "the name that articles use": (
        model(repository="weibo/VibeThinker-1.5B"),
        "did you mean WeiboAI/VibeThinker-1.5B?",
    ),
    "a path upwards": (model(repository="../../etc/passwd"), "spec.model.repository"),
    "an option": (model(repository="--trust-remote-code"), "spec.model.repository"),
    "an option as organization": (model(repository="-x/y"), "spec.model.repository"),
    "two dots inside": (model(repository="a/b..c"), "spec.model.repository"),
    "a second line": (model(repository="a/b\n--x"), "spec.model.repository"),
    "a scheme": (model(repository="http://a/b"), "spec.model.repository"),
    "three parts": (model(repository="a/b/c"), "spec.model.repository"),
    "an absolute path": (model(repository="/a"), "spec.model.repository"),
    "nothing": (model(repository=""), "spec.model.repository"),
    "201 characters": (model(repository="a/" + "b" * 199), "spec.model.repository"),
    "a revision upwards": (model(revision="a/../b"), "spec.model.revision"),
    "a revision that is an option": (model(revision="--x"), "spec.model.revision"),
    "a served name that is expanded": (
        model(servedName="$(VLLM_API_KEY)"),
        "spec.model.servedName",
    ),
    "a served name with a shell in it": (model(servedName="; id"), "spec.model.servedName"),
    "an endpoint without a scheme": (model(endpoint="hub.example"), "spec.model.endpoint"),
    "an endpoint with a user": (model(endpoint="https://a:b@c"), "spec.model.endpoint"),
    "a path out of the volume": (
        model(source="Volume", volume={"claimName": "m", "path": "../x"}),
        "spec.model.volume.path",
    ),
    "somebody else's Secret": (
        model(tokenSecretRef={"name": "database"}),
        "spec.model.tokenSecretRef.name",
    ),
    "somebody else's keys": (
        {"auth": {"apiKeysSecretRef": {"name": "database"}}},
        "spec.auth.apiKeysSecretRef.name",
    ),
    "keys in the resource itself": (
        {"auth": {"apiKeys": ["sk-1"]}},
        'unknown field "spec.auth.apiKeys"',
    ),
    "somebody else's registry Secret": (
        engine(imagePullSecrets=[{"name": "registry"}]),
        "spec.engine.imagePullSecrets[0].name",
    ),
    "the same registry Secret twice": (
        engine(imagePullSecrets=[{"name": "vibethinker-a"}, {"name": "vibethinker-a"}]),
        "spec.engine.imagePullSecrets[1]: Duplicate value",
    ),
    "an image with a space": (engine(image="a b"), "spec.engine.image"),
    "an image that is an option": (engine(image="-x"), "spec.engine.image"),
    # Numbers.
    "minus one": ({"saturation": {"requestQueueLength": -1}}, "requestQueueLength"),
    "a huge number": ({"saturation": {"requestQueueLength": 99999999999}}, "requestQueueLength"),
    "a fraction": ({"saturation": {"requestQueueLength": 1.5}}, "requestQueueLength"),
    "a number as text": ({"saturation": {"requestQueueLength": "3"}}, "requestQueueLength"),
    "a truth": ({"saturation": {"requestQueueLength": True}}, "requestQueueLength"),
    "a percentage of nothing": (
        {"saturation": {"memoryUsedPercentage": 0}},
        "spec.saturation.memoryUsedPercentage",
    ),
    "a percentage as a ratio": (
        {"saturation": {"memoryUsedPercentage": 0.75}},
        "spec.saturation.memoryUsedPercentage",
    ),
    "a percentage above all": (
        {"saturation": {"memoryUsedPercentage": 101}},
        "spec.saturation.memoryUsedPercentage",
    ),
    "no time at all": ({"saturation": {"sustainedSeconds": 0}}, "spec.saturation.sustainedSeconds"),
    "a time of thirty years": (
        {"saturation": {"sustainedSeconds": 10**9}},
        "spec.saturation.sustainedSeconds",
    ),
    "a time in words": (
        scaling(startupDeadlineSeconds="5 minutes"),
        "spec.scaling.startupDeadlineSeconds",
    ),
    "a negative time": (
        scaling(scaleDownStabilizationSeconds=-1),
        "spec.scaling.scaleDownStabilizationSeconds",
    ),
    "no answer at all": ({"tokenLimits": {"qa": 0}}, "spec.tokenLimits.qa"),
    "a trillion tokens": ({"tokenLimits": {"qa": 10**12}}, "spec.tokenLimits.qa"),
    "more than the card": (
        engine(gpuMemoryUtilizationPercentage=120),
        "spec.engine.gpuMemoryUtilizationPercentage",
    ),
    "next to nothing of the card": (
        engine(gpuMemoryUtilizationPercentage=1),
        "spec.engine.gpuMemoryUtilizationPercentage",
    ),
    "a cache of one byte": (engine(kvCacheMemoryBytes=1), "spec.engine.kvCacheMemoryBytes"),
    "blocks of 17": (engine(blockSize=17), "spec.engine.blockSize"),
    "a port of 0": ({"service": {"port": 0}}, "spec.service.port"),
    "an amount that is none": (requests({"memory": "1Gib"}, {}), "spec.resources.requests.memory"),
    "a negative amount": (requests({"cpu": "-1"}, {}), "spec.resources.requests.cpu"),
    # Words and shapes.
    "a mode in small letters": (scaling(mode="auto"), 'supported values: "Auto"'),
    "a policy that is none": ({"overload": {"policy": "Queue"}}, "spec.overload.policy"),
    "a misspelled field": (scaling(maxReplica=3), 'unknown field "spec.scaling.maxReplica"'),
    "a pod template": ({"podTemplate": {}}, 'unknown field "spec.podTemplate"'),
    "a command": (engine(args=["--x"]), 'unknown field "spec.engine.args"'),
    "a flag that is not on the list": (
        engine(flags={"trustRemoteCode": True}),
        'unknown field "spec.engine.flags.trustRemoteCode"',
    ),
    "a GPU among the amounts": (
        requests({}, {"nvidia.com/gpu": "8"}),
        'unknown field "spec.resources.limits.nvidia.com/gpu"',
    ),
    "a block that is a word": ({"scaling": "Auto"}, "spec.scaling"),
    "a label that no node can have": (
        {"scheduling": {"nodeSelector": {"a b": "c"}}},
        "spec.scheduling.nodeSelector",
    ),
    "seventeen tolerations": (
        {"scheduling": {"tolerations": [{"operator": "Exists"}] * 17}},
        "spec.scheduling.tolerations: Too many",
    ),
}

TAKES = {
    "everything left out": {},
    "null for a block": {"engine": None, "scaling": None},
    "null for what may be unset": engine(kvCacheMemoryBytes=None, blockSize=None, dtype=None),
    "cpu": cpu(),
    "cpu with a limit in plain bytes": cpu(memory=GIB + 1),
    "cpu with a limit with a fraction": cpu(memory="6.75Gi"),
    "a preset of 4096 characters": profile(systemPrompt="x" * 4096),
    "a preset in lines and in Chinese": profile(systemPrompt="你是算法竞赛助手。\n\t<|> 😀"),
    "a model shorter than its preset's answers": engine(maxModelLen=512),
    "answers that show their thinking": {"tokenLimits": {"preset": "Reasoning", "qa": 512}},
    "a task of one's own as the default": {
        "tokenLimits": {"others": [{"name": "proof", "tokens": 2048}], "defaultTask": "proof"}
    },
    "keys of profiles": bound(["shop", "search"], ["chat.user-1"]),
    "volume": model(source="Volume", volume={"claimName": "m", "path": "models/v1.5"}),
    "a commit": model(revision="0123456789abcdef0123456789abcdef01234567"),
    "one above and one below": {"rollout": {"maxSurge": 1, "maxUnavailable": 0}},
    "as many at least as at most": scaling(minReplicas=2, maxReplicas=2),
    "amounts as numbers": requests({"cpu": 2}, {"cpu": 4}),
    "requests equal to limits": requests({"memory": "8Gi"}, {"memory": "8192Mi"}),
    "a toleration of everything": toleration(operator="Exists"),
    "a toleration for a while": toleration(
        key="a", operator="Exists", effect="NoExecute", tolerationSeconds=60
    ),
    "an affinity": expression(operator="In", values=["a", "b"]),
    "none in mode Manual": {"replicas": 0, "scaling": {"mode": "Manual"}},
    "our Secrets": {
        "model": {"tokenSecretRef": {"name": "vibethinker-hub"}},
        "engine": {"imagePullSecrets": [{"name": "vibethinker-registry"}]},
        "auth": {"apiKeysSecretRef": {"name": "vibethinker-keys"}},
    },
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_the_message_names_the_field(plane, case):
    spec, message = REFUSED[case]
    assert message in refusal_of(plane, fleet(spec))


@pytest.mark.parametrize("case", TAKES)
def test_it_is_taken(plane, case):
    assert refusal_of(plane, fleet(TAKES[case])) == TAKEN


@pytest.mark.parametrize("name", ["a" * 41, "a" * 250, "1a", "a.b"])
def test_a_name_that_no_service_could_have_is_refused(plane, name):
    assert "metadata.name must have at most 40 characters" in refusal_of(plane, fleet({}, name))


def test_a_name_of_40_characters_is_taken(plane):
    assert refusal_of(plane, fleet({}, "a" * 40)) == TAKEN


def test_an_empty_spec_is_stored_with_every_default(plane):
    schema = build_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    defaults = {n: s["default"] for n, s in schema["properties"].items() if "default" in s}
    assert dry_run(plane, fleet({}))["spec"] == defaults
    assert defaults.keys() == schema["properties"].keys()


def test_a_block_that_is_there_in_part_is_filled_up(plane):
    stored = dry_run(plane, fleet(scaling(maxReplicas=4)))["spec"]["scaling"]
    assert (stored["maxReplicas"], stored["minReplicas"], stored["mode"]) == (4, 1, "Auto")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_a_sample_is_taken_with_all_that_is_beside_it(plane, sample):
    for manifest in (sample.resource, *sample.beside):
        metadata = manifest["metadata"] | {"namespace": "default"}
        assert refusal_of(plane, manifest | {"metadata": metadata}) == TAKEN


def test_a_status_has_nothing_that_the_operator_did_not_write(plane):
    plane.kubectl("create", "-f", "-", stdin=json.dumps(fleet({}, "fresh")))
    assert "status" not in json.loads(plane.kubectl("get", "vtd", "fresh", "-o", "json"))


def test_a_poisoned_status_is_refused_or_harmless(plane):
    plane.kubectl("create", "-f", "-", stdin=json.dumps(fleet({}, "poisoned")))
    patch = ("patch", "vtd", "poisoned", "--subresource=status", "--type=merge", "-p")
    with pytest.raises(CommandError, match=r"status\.streak\.since"):
        plane.kubectl(*patch, '{"status": {"streak": {"since": "yesterday"}}}')
    with pytest.raises(CommandError, match=r"status\.replicas"):
        plane.kubectl(*patch, '{"status": {"replicas": -1}}')
    plane.kubectl(*patch, '{"status": {"streak": {"since": "1970-01-01T00:00:00Z"}}}')


def test_conditions_merge_by_type_under_server_side_apply(plane):
    plane.kubectl("create", "-f", "-", stdin=json.dumps(fleet({}, "merged")))
    for manager, kind in (("one", "Ready"), ("other", "Available")):
        condition = {
            "type": kind,
            "status": "True",
            "reason": "Serving",
            "message": "",
            "lastTransitionTime": "2026-11-24T04:00:00Z",
        }
        status = fleet({}, "merged") | {"status": {"conditions": [condition]}}
        status.pop("spec")
        apply = ("apply", "--server-side", f"--field-manager={manager}", "--subresource=status")
        plane.kubectl(*apply, "-f", "-", stdin=json.dumps(status))
    merged = json.loads(plane.kubectl("get", "vtd", "merged", "-o", "json"))["status"]
    assert {condition["type"] for condition in merged["conditions"]} == {"Ready", "Available"}


def test_a_condition_that_its_writer_no_longer_names_is_gone(plane):
    plane.kubectl("create", "-f", "-", stdin=json.dumps(fleet({}, "repaired")))

    def tell(*types: str) -> set[str]:
        time = "2026-11-24T04:00:00Z"
        rest = {
            "status": "True",
            "reason": "InvalidSpec",
            "message": "",
            "lastTransitionTime": time,
        }
        told = fleet({}, "repaired") | {
            "status": {"conditions": [{"type": t} | rest for t in types]}
        }
        told.pop("spec")
        words = ("apply", "--server-side", "--field-manager=vibethinker-operator", "-o", "json")
        answer = plane.kubectl(*words, "--subresource=status", "-f", "-", stdin=json.dumps(told))
        return {condition["type"] for condition in json.loads(answer)["status"]["conditions"]}

    assert tell("Ready", "Stalled") == {"Ready", "Stalled"}
    assert tell("Ready") == {"Ready"}


def test_scale_reads_and_writes_replicas_and_tells_the_selector(plane):
    plane.kubectl("create", "-f", "-", stdin=json.dumps(fleet({}, "scaled")))
    status = '{"status": {"replicas": 2, "selector": "app.kubernetes.io/instance=scaled"}}'
    patch = ("patch", "vtd", "scaled", "--subresource=status", "--type=merge", "-p", status)
    plane.kubectl(*patch)
    plane.kubectl("scale", "vtd", "scaled", "--replicas=5")
    path = "/apis/vibethinker.io/v1alpha1/namespaces/default/vibethinkerdeployments/scaled/scale"
    scale = json.loads(plane.kubectl("get", "--raw", path))
    assert scale["spec"] == {"replicas": 5}
    assert scale["status"] == {"replicas": 2, "selector": "app.kubernetes.io/instance=scaled"}


def test_an_apply_that_never_names_replicas_leaves_them_to_whoever_scales(plane):
    def apply(spec: dict[str, Any]) -> int:
        words = ("apply", "--server-side", "--field-manager=gitops", "-o", "json", "-f", "-")
        applied = json.loads(plane.kubectl(*words, stdin=json.dumps(fleet(spec, "from-git"))))
        return int(applied["spec"]["replicas"])

    assert apply(scaling(mode="Manual")) == 1
    plane.kubectl("scale", "vtd", "from-git", "--replicas=3")
    assert apply(scaling(mode="Manual", maxReplicas=4)) == 3
    # The page's warning: what was named once and then is not falls to the default.
    plane.kubectl("delete", "vtd", "from-git")
    assert apply(scaling(mode="Manual") | {"replicas": 2}) == 2
    assert apply(scaling(mode="Manual")) == 1


def test_the_columns_people_see(plane):
    plane.kubectl("create", "-f", "-", stdin=json.dumps(fleet({}, "seen")))
    header, *_ = plane.kubectl("get", "vtd", "seen").splitlines()
    assert header.split() == [
        "NAME",
        "READY",
        "REASON",
        "REPLICAS",
        "DESIRED",
        "MEMORY%",
        "QUEUE",
        "AGE",
    ]
    wide, *_ = plane.kubectl("get", "vibethinker", "-o", "wide").splitlines()
    assert wide.split()[8:] == ["MODEL", "MIN", "MAX", "URL", "MESSAGE"]


def test_explain_describes_every_field(plane):
    document = json.loads(plane.kubectl("get", "--raw", "/openapi/v3/apis/vibethinker.io/v1alpha1"))
    schemas = document["components"]["schemas"]
    (published,) = (s for name, s in schemas.items() if name.endswith(f".{KIND}"))
    undescribed: list[str] = []
    count = 0
    stack = [(name, published["properties"][name]) for name in ("spec", "status")]
    while stack:
        path, schema = stack.pop()
        count += 1
        if "description" not in schema:
            undescribed.append(path)
        inner = schema.get("properties") or schema.get("items", {}).get("properties") or {}
        stack += [(f"{path}.{name}", part) for name, part in inner.items()]
    assert undescribed == []
    assert count > 100
    assert "Line of waiting requests" in plane.kubectl("explain", "vtd.spec.saturation")
