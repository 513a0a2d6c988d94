import json

import pytest
from vibethinker_server import names
from vibethinker_server.engine_args import render_engine_args, render_engine_environment
from vibethinker_server.engine_settings import AttentionBackend, EngineSettings

from tests.support.server_runtime import make_settings


def value_of(args: list[str], flag: str) -> str:
    assert args.count(flag) == 1, f"{flag} in {args}"
    return args[args.index(flag) + 1]


def cpu_settings() -> EngineSettings:
    return make_settings(
        device="CPU", dtype="BFloat16", blockSize=32, kvCacheMemoryBytes=2**32, source="Volume"
    )


def test_the_default_gpu_pod():
    args = render_engine_args(make_settings(revision="main"), max_new_tokens=768)
    expected = {
        "--model": "WeiboAI/VibeThinker-1.5B",
        "--revision": "main",
        "--served-model-name": "vibethinker-1.5b",
        "--dtype": "half",
        "--block-size": "16",
        "--max-model-len": "4096",
        "--max-num-seqs": "128",
        "--max-num-batched-tokens": "4096",
        "--gpu-memory-utilization": "0.85",
        "--scheduling-policy": "priority",
        "--shutdown-timeout": "30",
        "--middleware": "vibethinker_server.middleware.VibeThinkerMiddleware",
        "--disable-access-log-for-endpoints": "/health,/metrics",
    }
    assert {flag: value_of(args, flag) for flag in expected} == expected
    assert json.loads(value_of(args, "--override-generation-config")) == {"max_new_tokens": 768}
    assert "--kv-cache-memory-bytes" not in args


def test_a_cpu_pod_has_its_pool_in_bytes():
    args = render_engine_args(cpu_settings(), 512)
    assert value_of(args, "--dtype") == "bfloat16"
    assert value_of(args, "--kv-cache-memory-bytes") == str(2**32)
    assert "--gpu-memory-utilization" not in args


def test_a_model_on_a_volume_has_no_revision():
    settings = make_settings(model="/model/v1", source="Volume", revision="main")
    assert "--revision" not in render_engine_args(settings, 512)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, []),
        ({"enforceEager": True}, ["--enforce-eager"]),
        ({"enforceEager": False}, ["--no-enforce-eager"]),
        ({"enablePrefixCaching": False}, ["--no-enable-prefix-caching"]),
        ({"enableChunkedPrefill": True}, ["--enable-chunked-prefill"]),
        ({"maxNumActiveSeqs": 32}, ["--max-num-active-seqs", "32"]),
        ({"kvCacheDtype": "Fp8"}, ["--kv-cache-dtype", "fp8"]),
        ({"attentionBackend": "Triton"}, ["--attention-backend", "TRITON_ATTN"]),
        ({"optimizationLevel": 0}, ["--optimization-level", "0"]),
        ({"watermarkPercentage": 2}, ["--watermark", "0.02"]),
        ({"watermarkPercentage": 0}, ["--watermark", "0.00"]),
        ({"seed": 0}, ["--seed", "0"]),
    ],
)
def test_each_allowed_flag_is_rendered_so(flags: dict[str, object], expected: list[str]):
    bare = render_engine_args(make_settings(), 512)
    assert render_engine_args(make_settings(flags=flags), 512) == [*bare, *expected]


def test_every_attention_backend_has_a_spelling():
    for backend in AttentionBackend:
        args = render_engine_args(make_settings(flags={"attentionBackend": backend}), 512)
        assert value_of(args, "--attention-backend").isupper()


def test_hugging_faces_endpoint_and_token_go_by_the_environment():
    settings = make_settings(endpoint="https://mirror.example")
    rendered = render_engine_environment(settings, {}, "/etc/vibethinker/hub/token")
    assert rendered["HF_ENDPOINT"] == "https://mirror.example"
    assert rendered["HF_TOKEN_PATH"] == "/etc/vibethinker/hub/token"  # noqa: S105 (a path)
    assert "HF_HUB_OFFLINE" not in rendered


def test_modelscope_is_named_by_its_domain():
    settings = make_settings(source="ModelScope", endpoint="https://modelscope.example/")
    rendered = render_engine_environment(settings, {}, None)
    assert rendered["VLLM_USE_MODELSCOPE"] == "True"
    assert rendered["MODELSCOPE_DOMAIN"] == "modelscope.example"
    assert "HF_ENDPOINT" not in rendered


def test_a_volume_is_served_without_asking_anybody():
    rendered = render_engine_environment(make_settings(source="Volume"), {}, None)
    assert rendered["HF_HUB_OFFLINE"] == rendered["TRANSFORMERS_OFFLINE"] == "1"


def test_what_the_pod_sets_is_left_alone():
    rendered = render_engine_environment(make_settings(), {"VLLM_MAX_N_SEQUENCES": "2"}, None)
    assert "VLLM_MAX_N_SEQUENCES" not in rendered
    assert rendered["VLLM_MAX_COMPLETION_PROMPTS"] == "8"


@pytest.mark.parametrize(("cpus", "threads"), [("1", "1"), ("2", "1"), ("8", "7")])
def test_a_cpu_pod_computes_with_what_it_was_given_and_is_bound_to_no_core(cpus: str, threads: str):
    rendered = render_engine_environment(cpu_settings(), {names.ENV_CPUS: cpus}, None)
    assert rendered["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    assert rendered["OMP_NUM_THREADS"] == threads


@pytest.mark.parametrize("cpus", ["", "many", "1.5", "-1"])
def test_where_nobody_says_how_many_processors_there_are_vllm_decides(cpus: str):
    rendered = render_engine_environment(cpu_settings(), {names.ENV_CPUS: cpus}, None)
    assert "OMP_NUM_THREADS" not in rendered


def test_a_gpu_pod_keeps_vllms_own_threads():
    assert "OMP_NUM_THREADS" not in render_engine_environment(
        make_settings(), {names.ENV_CPUS: "8"}, None
    )
