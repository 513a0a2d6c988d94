import builtins
import json
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server.llama_cpp.launch import run_llama_proxy
from vibethinker_server.llama_cpp.memory import LlamaServerProbe
from vibethinker_server.serve import build_probe, show_command
from vibethinker_server.start_error import StartError
from vibethinker_server.weights import Weights, find_weights

from tests.support.llama_settings import LLAMA, NO_GPU, write_gguf
from tests.support.server_runtime import make_rig, make_settings


def test_print_args_shows_the_llama_server_that_must_run_beside(tmp_path: Path):
    environment = {
        "VIBETHINKER_ENGINE": json.dumps(LLAMA),
        "VIBETHINKER_FILES": str(tmp_path),
        "VIBETHINKER_CPUS": "3",
    }
    lines = show_command(environment).split(" \\\n  ")
    assert lines[:2] == ["llama-server", "--model /models/vibethinker.gguf"]
    assert {"--host 127.0.0.1", "--port 8080", "--threads 3"} <= set(lines)
    elsewhere = environment | {"VIBETHINKER_LLAMA_SERVER": "127.0.0.1:8123"}
    assert "--port 8123" in show_command(elsewhere)


def test_its_memory_is_read_from_its_process():
    settings = make_settings(**LLAMA, **NO_GPU)
    assert isinstance(build_probe(settings, {}), LlamaServerProbe)


def test_weights_are_there_once_the_file_is_and_as_large_as_its_tensors(tmp_path: Path):
    file = tmp_path / "model.gguf"
    settings = make_settings(**LLAMA | {"model": str(file)}, **NO_GPU)
    assert find_weights(settings, {}) is None
    write_gguf(file)
    assert find_weights(settings, {}) == Weights(0, kv_token_bytes=28_672)
    file.write_bytes(b"GGUF")
    assert find_weights(settings, {}) == Weights(None)


def test_where_the_proxys_packages_are_missing_the_error_says_which_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    imported = builtins.__import__

    def without_uvicorn(name: str, *more: Any, **how: Any) -> Any:
        if name == "vibethinker_server.llama_cpp.server":
            raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")
        return imported(name, *more, **how)

    monkeypatch.setattr(builtins, "__import__", without_uvicorn)
    rig = make_rig(tmp_path, **LLAMA, **NO_GPU)
    with pytest.raises(StartError, match=r"uvicorn.*pip install 'vibethinker\[proxy\]'"):
        run_llama_proxy(rig.runtime, "127.0.0.1", {})
