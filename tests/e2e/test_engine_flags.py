"""Every engine name that we depend on, asked of both tested versions: 0.32.0 (CPU) and 0.33.0.

The GPU version's wheel is read without its dependencies, over those of the CPU version: no GPU and
no second torch is needed to run its own parser and its own classes.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server import names
from vibethinker_server.engine_args import render_engine_args

from tests.cluster.images import engine_site
from tests.cluster.images.python_site import find_python, site
from tests.e2e.engine_process import package_site
from tests.support.server_runtime import make_settings

HERE = Path(__file__).parent
FLAGS: list[dict[str, Any]] = [
    {},
    {
        "enforceEager": True,
        "enablePrefixCaching": True,
        "enableChunkedPrefill": True,
        "maxNumActiveSeqs": 32,
        "kvCacheDtype": "Fp8",
        "attentionBackend": "Triton",
        "optimizationLevel": 0,
        "watermarkPercentage": 2,
        "seed": 7,
    },
    {
        "enforceEager": False,
        "enablePrefixCaching": False,
        "enableChunkedPrefill": False,
        "kvCacheDtype": "Auto",
        "attentionBackend": "FlashInfer",
        "optimizationLevel": 3,
        "watermarkPercentage": 0,
    },
    {"attentionBackend": "FlashAttention", "optimizationLevel": 2},
]
CPU = {
    "device": "CPU",
    "dtype": "BFloat16",
    "blockSize": 32,
    "source": "Volume",
    "model": "/model/v1",
    "kvCacheMemoryBytes": 2**32,
}


def command_lines() -> list[list[str]]:
    settings = [make_settings(revision="main", flags=flags) for flags in FLAGS]
    return [render_engine_args(one, 768) for one in [*settings, make_settings(**CPU)]]


@pytest.fixture(scope="module", params=["0.32.0", "0.33.0"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    paths = [package_site(tmp_path_factory.mktemp("site"))]
    if request.param == "0.33.0":
        paths.append(site("vllm-gpu", HERE / "vllm-gpu.txt", gigabytes=1.0))
    paths.append(engine_site())
    environment = {
        "PYTHONPATH": ":".join(map(str, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "VLLM_TARGET_DEVICE": "cpu",
        "VLLM_NO_USAGE_STATS": "1",
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PATH": "/usr/bin:/bin",
    }
    done = subprocess.run(
        [find_python(), HERE / "read_engine.py"],
        input=json.dumps(command_lines()),
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    assert lines, done.stderr[-3000:]
    found = json.loads(lines[0].removeprefix("REPORT "))
    assert found["version"].startswith(request.param)
    return found


def test_the_flags_mean_to_vllm_what_we_mean(report: Any):
    default = report["parsed"][0]
    expected = {
        "model": "WeiboAI/VibeThinker-1.5B",
        "revision": "main",
        "served_model_name": "['vibethinker-1.5b']",
        "port": "8000",
        "dtype": "half",
        "block_size": "16",
        "max_model_len": "4096",
        "max_num_seqs": "128",
        "max_num_batched_tokens": "4096",
        "gpu_memory_utilization": "0.85",
        "kv_cache_memory_bytes": "None",
        "scheduling_policy": "priority",
        "shutdown_timeout": "30",
        "override_generation_config": "{'max_new_tokens': 768}",
        "middleware": f"['{names.MIDDLEWARE}']",
        "disable_access_log_for_endpoints": "/health,/metrics",
        "disable_fastapi_docs": "True",
    }
    assert {key: default[key] for key in expected} == expected


def test_every_allowed_flag_reaches_its_setting(report: Any):
    on, off, other = report["parsed"][1:4]
    keys = ("enforce_eager", "enable_prefix_caching", "enable_chunked_prefill")
    assert [on[key] for key in keys] == ["True"] * 3
    assert [off[key] for key in keys] == ["False"] * 3
    assert (on["max_num_active_seqs"], on["watermark"], on["seed"]) == ("32", "0.02", "7")
    assert (on["kv_cache_dtype"], off["kv_cache_dtype"]) == ("fp8", "auto")
    backends = [one["attention_backend"] for one in (on, off, other)]
    assert ["TRITON" in backends[0], "FLASHINFER" in backends[1]] == [True, True]
    assert "FLASH_ATTN" in backends[2]
    assert [one["optimization_level"] for one in (on, off, other)] == ["0", "3", "2"]


def test_a_cpu_pod_has_its_pool_in_bytes(report: Any):
    cpu = report["parsed"][4]
    assert (cpu["dtype"], cpu["kv_cache_memory_bytes"]) == ("bfloat16", str(2**32))


def test_the_stat_logger_loads_and_reads_this_versions_statistics(report: Any):
    assert report["stats"] == {
        "reading": "EngineReading(running=3, waiting=2, kv_usage_ratio=0.5)",
        "finished": 1,
        "generation_tokens": 3,
        "errors": {},
    }


def test_what_else_we_rely_on_is_there(report: Any):
    assert report["entry"]
    assert report["backlog"]
    assert report["priority_header"].encode() == names.HEADER_VLLM_PRIORITY
