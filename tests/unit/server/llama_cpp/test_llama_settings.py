import json
import shlex
from typing import Any

import pytest
from vibethinker_server.engine_settings import (
    Backend,
    EngineSettings,
    SettingsError,
    parse_engine_settings,
)
from vibethinker_server.llama_cpp.command import render_llama_args

from tests.support.llama_settings import LLAMA, POOL_TOKENS

ADDRESS = "127.0.0.1:8080"


def parse(**changes: Any) -> EngineSettings:
    return parse_engine_settings(json.dumps(LLAMA | changes))


def test_a_document_without_a_backend_means_vllm():
    old = {key: value for key, value in LLAMA.items() if key != "backend"}
    assert parse_engine_settings(json.dumps(old)).backend is Backend.VLLM


def test_the_pool_is_told_in_tokens_in_whole_steps():
    assert parse().llama_context_tokens == POOL_TOKENS
    odd = LLAMA["kvCacheMemoryBytes"] + 255 * 28_672
    assert parse(kvCacheMemoryBytes=odd).llama_context_tokens == POOL_TOKENS


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"model": "WeiboAI/VibeThinker-1.5B"}, "model must be the absolute path of a .gguf file"),
        ({"model": "/models/vibethinker"}, "model must be the absolute path of a .gguf file"),
        ({"source": "HuggingFace"}, "source must be Volume"),
        ({"revision": "main"}, "source must be Volume, without revision"),
        ({"device": "GPU", "gpuMemoryUtilizationPercentage": 85}, "device must be CPU"),
        ({"gpuMemoryUtilizationPercentage": 85}, "gpuMemoryUtilizationPercentage must be left out"),
        ({"flags": {"enforceEager": True, "seed": 1}}, "leave out enforceEager, seed"),
        ({"maxModelLen": 4096}, "kvCacheMemoryBytes holds 2048 tokens (28672 bytes each)"),
    ],
)
def test_what_llama_cpp_cannot_be_given_is_refused_with_what_to_write(
    change: dict[str, Any], told: str
):
    with pytest.raises(SettingsError) as refusal:
        parse(**change)
    assert "backend LlamaCpp: " in str(refusal.value)
    assert told in str(refusal.value)


def test_the_command_line():
    lines = shlex.join(render_llama_args(parse(), ADDRESS, threads=3)).split(" --")
    assert [lines[0].removeprefix("--"), *lines[1:]] == [
        "model /models/vibethinker.gguf",
        "alias vibethinker-1.5b",
        "host 127.0.0.1",
        "port 8080",
        "ctx-size 2048",
        "kv-unified",
        "kv-unified-per-slot 1024",
        "parallel 2",
        "batch-size 1024",
        "ubatch-size 512",
        "cache-ram 0",
        "load-mode none",
        "jinja",
        "no-prefill-assistant",
        "reasoning-format none",
        "metrics",
        "slots",
        "no-ui",
        "threads 3",
    ]
    assert "--threads" not in render_llama_args(parse(), ADDRESS, threads=None)


def test_what_a_pod_may_change_while_it_runs_is_no_flag():
    assert "--predict" not in render_llama_args(parse(), ADDRESS, threads=None)
