"""A llama.cpp pod: the stock server as a sidecar, and before it what everybody talks to."""

from typing import Any

from tests.unit.operator_api.resource import IMAGES, LLAMA_SPEC, choose_first, make_resource

FILE_SPEC: dict[str, Any] = LLAMA_SPEC | {
    "model": {"source": "Volume", "volume": {"claimName": "models", "path": "a/b.gguf"}}
}


def pod_of(spec: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = choose_first(make_resource(spec)).template["spec"]
    return pod


def args_of(spec: dict[str, Any]) -> dict[str, str]:
    args = pod_of(spec)["initContainers"][0]["args"]
    return {
        name: value for name, value in zip(args, [*args[1:], ""], strict=True) if name[:2] == "--"
    }


def test_llama_server_is_a_sidecar_so_that_it_ends_after_the_last_answer():
    pod = pod_of(LLAMA_SPEC)
    (engine,) = pod["initContainers"]
    (proxy,) = pod["containers"]
    assert (engine["name"], engine["restartPolicy"]) == ("engine", "Always")
    assert engine["image"] == IMAGES.engine
    assert proxy["image"] == IMAGES.package
    assert proxy["lifecycle"]["preStop"]["exec"]["command"][-1] == "drain"
    assert "ports" not in engine


def test_nobody_reaches_it_but_through_the_proxy():
    assert args_of(LLAMA_SPEC)["--host"] == "127.0.0.1"


def test_its_pool_is_as_large_as_written_and_shared_by_all_slots():
    args = args_of(LLAMA_SPEC)
    assert int(args["--ctx-size"]) == 2**30 // 28_672 // 256 * 256
    assert args["--parallel"] == "4"
    assert "--kv-unified" in args
    assert args["--cache-ram"] == "0"


def test_it_takes_no_more_threads_than_it_has_processors():
    assert args_of(LLAMA_SPEC)["--threads"] == "4"
    asked = {"requests": {"cpu": "1500m"}, "limits": {"memory": "6Gi"}}
    assert args_of({**LLAMA_SPEC, "resources": asked})["--threads"] == "2"
    without = {**LLAMA_SPEC, "resources": {"limits": {"memory": "6Gi"}}}
    assert "--threads" not in args_of(without)


def test_its_memory_is_measured_against_its_own_limit():
    pod = pod_of(LLAMA_SPEC)
    assert pod["initContainers"][0]["resources"]["limits"]["memory"] == "6Gi"
    assert pod["shareProcessNamespace"] is True
    (limit,) = (
        variable["valueFrom"]["resourceFieldRef"]
        for variable in pod["containers"][0]["env"]
        if variable["name"] == "VIBETHINKER_ENGINE_MEMORY_LIMIT"
    )
    assert limit["containerName"] == "engine"


def test_a_file_in_a_volume_is_served_as_it_is():
    assert args_of(FILE_SPEC)["--model"] == "/model/a/b.gguf"
    (mount,) = pod_of(FILE_SPEC)["initContainers"][0]["volumeMounts"]
    assert mount == {"name": "model", "mountPath": "/model", "readOnly": True}


def test_token_limits_are_no_part_of_it():
    raised = LLAMA_SPEC | {"tokenLimits": {"math": 3000}}
    assert pod_of(raised) == pod_of(LLAMA_SPEC)
