from typing import Any

import pytest
from vibethinker_operator import names
from vibethinker_operator.resources.pod import build_template

from tests.unit.operator_api.resource import (
    CPU_SPEC,
    IMAGES,
    LLAMA_SPEC,
    UID,
    VOLUME_SPEC,
    choose_first,
    make_resource,
)

SPECS = [
    pytest.param({}, id="gpu"),
    pytest.param(CPU_SPEC, id="cpu"),
    pytest.param(VOLUME_SPEC, id="volume"),
    pytest.param(
        {"model": {"tokenSecretRef": {"name": "vibethinker-hub"}, "cache": {"claimName": "c"}}},
        id="token and claim",
    ),
    pytest.param(LLAMA_SPEC, id="llama.cpp"),
    pytest.param({"auth": {"apiKeysSecretRef": {"name": "vibethinker-keys"}}}, id="api keys"),
]


def pod_of(spec: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = choose_first(make_resource(spec)).template["spec"]
    return pod


def engine_of(spec: dict[str, Any]) -> dict[str, Any]:
    engine: dict[str, Any] = pod_of(spec)["containers"][0]
    return engine


def environment_of(spec: dict[str, Any]) -> dict[str, Any]:
    return {variable["name"]: variable.get("value") for variable in engine_of(spec)["env"]}


@pytest.mark.parametrize("spec", SPECS)
def test_each_container_meets_the_restricted_profile_on_a_read_only_root(spec):
    pod = pod_of(spec)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["initContainers"] + pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }


@pytest.mark.parametrize("spec", SPECS)
def test_a_pod_has_no_token_of_the_cluster_and_no_variables_of_its_services(spec):
    pod = pod_of(spec)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert not {"serviceAccountName", "hostNetwork", "hostPID", "hostIPC"} & pod.keys()


@pytest.mark.parametrize("spec", SPECS)
def test_every_mount_has_its_volume_and_every_volume_is_bounded_or_not_ours(spec):
    pod = pod_of(spec)
    containers = pod["initContainers"] + pod["containers"]
    mounted = {mount["name"] for container in containers for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    for volume in pod["volumes"]:
        assert "hostPath" not in volume
        if "emptyDir" in volume:
            assert volume["emptyDir"]["sizeLimit"]


def test_shared_memory_is_memory():
    (volume,) = (volume for volume in pod_of({})["volumes"] if volume["name"] == "shm")
    assert volume["emptyDir"]["medium"] == "Memory"


def test_each_directory_that_something_is_written_to_lies_in_a_volume():
    environment = environment_of({})
    mounts = [m["mountPath"] for m in engine_of({})["volumeMounts"] if not m.get("readOnly")]
    for name in ("HOME", "XDG_CACHE_HOME", "VLLM_CACHE_ROOT", "HF_HOME", "MODELSCOPE_CACHE"):
        assert any(environment[name].startswith(mount) for mount in mounts), name


def test_only_the_named_keys_of_a_secret_are_mounted():
    spec = {"model": {"tokenSecretRef": {"name": "vibethinker-hub"}}}
    secrets = [volume["secret"] for volume in pod_of(spec)["volumes"] if "secret" in volume]
    keys = {secret["secretName"]: [item["key"] for item in secret["items"]] for secret in secrets}
    fleet = f"chat-fleet-{UID[:8]}"
    assert keys == {fleet: ["ticket-key", "fleet-token"], "vibethinker-hub": ["token"]}


def test_a_token_is_a_file_and_its_path_is_known():
    spec = {"model": {"tokenSecretRef": {"name": "vibethinker-hub"}}}
    (mount,) = (mount for mount in engine_of(spec)["volumeMounts"] if mount["name"] == "hub")
    assert environment_of(spec)["HF_TOKEN_PATH"] == f"{mount['mountPath']}/token"
    assert "HF_TOKEN_PATH" not in environment_of({})


def test_api_keys_are_files_of_their_own_names_and_the_server_knows_that_they_are_required():
    spec = {"auth": {"apiKeysSecretRef": {"name": "vibethinker-keys"}}}
    (volume,) = (volume for volume in pod_of(spec)["volumes"] if volume["name"] == "keys")
    assert volume["secret"] == {"secretName": "vibethinker-keys", "defaultMode": 0o440}
    (mount,) = (mount for mount in engine_of(spec)["volumeMounts"] if mount["name"] == "keys")
    assert mount == {"name": "keys", "mountPath": "/etc/vibethinker/keys", "readOnly": True}
    assert environment_of(spec)["VIBETHINKER_API_KEYS"] == mount["mountPath"]
    assert "VIBETHINKER_API_KEYS" not in environment_of({})


def test_a_gpu_fleet_takes_one_gpu_a_pod_on_the_card_named():
    spec = {"gpu": {"product": "Tesla-T4"}}
    assert engine_of(spec)["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert pod_of(spec)["nodeSelector"] == {"nvidia.com/gpu.product": "Tesla-T4"}
    assert pod_of(spec)["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]


def test_a_cpu_fleet_asks_for_no_gpu():
    assert engine_of(CPU_SPEC)["resources"]["limits"] == {"memory": "6Gi"}
    assert not {"nodeSelector", "tolerations"} & pod_of(CPU_SPEC).keys()


def test_the_stock_engine_is_started_through_our_package():
    engine = engine_of({})
    (inject,) = pod_of({})["initContainers"]
    assert (engine["image"], inject["image"]) == (IMAGES.engine, IMAGES.package)
    assert engine["command"] == ["python3", "-m", "vibethinker_server", "serve"]
    assert inject["command"][-1] == environment_of({})["PYTHONPATH"] + "/"


def test_only_the_client_port_and_the_ops_port_are_open():
    ports = {port["name"]: port["containerPort"] for port in engine_of({})["ports"]}
    assert ports == {"http": 8000, "ops": 9100}


def test_a_dead_engine_is_killed_without_a_long_drain():
    assert engine_of({})["livenessProbe"]["terminationGracePeriodSeconds"] == 30
    assert pod_of({})["terminationGracePeriodSeconds"] > 1000


def test_a_spread_counts_this_fleets_pods_of_one_rollout():
    spec = {"scheduling": {"topologySpreadConstraints": [{"topologyKey": "zone"}]}}
    (constraint,) = pod_of(spec)["topologySpreadConstraints"]
    assert constraint["labelSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "chat"
    assert constraint["matchLabelKeys"] == ["pod-template-hash"]


def test_lists_that_the_schema_filled_in_are_not_said_again():
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    spec = {"scheduling": {"affinity": {"nodeAffinity": required}}}
    assert pod_of(spec)["affinity"] == {"nodeAffinity": required}


def test_a_claim_named_for_the_cache_takes_the_place_of_the_directory():
    spec = {"model": {"cache": {"claimName": "weights"}}}
    (volume,) = (volume for volume in pod_of(spec)["volumes"] if volume["name"] == "cache")
    assert volume == {"name": "cache", "persistentVolumeClaim": {"claimName": "weights"}}


def test_the_template_is_the_same_each_time():
    resource = make_resource(CPU_SPEC)
    assert build_template(resource, IMAGES) == build_template(resource, IMAGES)


def test_a_cpu_pod_is_told_how_many_processors_are_its_own():
    cpu = {"engine": {"device": "CPU"}, "resources": {"limits": {"memory": "8Gi"}}}
    variables = {variable["name"]: variable for variable in engine_of(cpu)["env"]}
    reference = variables[names.ENV_CPUS]["valueFrom"]["resourceFieldRef"]
    assert reference == {"resource": "limits.cpu", "divisor": "1"}
    assert names.ENV_CPUS not in environment_of({})
