import json
from typing import Any

import pytest
from vibethinker_server.engine_settings import (
    DataType,
    Device,
    SettingsError,
    Source,
    parse_engine_settings,
)

SETTINGS: dict[str, Any] = {
    "model": "WeiboAI/VibeThinker-1.5B",
    "revision": "main",
    "source": "HuggingFace",
    "endpoint": "",
    "servedName": "vibethinker-1.5b",
    "device": "GPU",
    "dtype": "Float16",
    "blockSize": 16,
    "maxModelLen": 4096,
    "maxNumSeqs": 128,
    "maxNumBatchedTokens": 4096,
    "gpuMemoryUtilizationPercentage": 85,
    "kvCacheMemoryBytes": None,
    "flags": {"enforceEager": True, "kvCacheDtype": "Fp8"},
    "port": 8000,
    "opsPort": 9100,
    "drainSeconds": 120,
}


def test_the_operators_settings_are_read():
    settings = parse_engine_settings(json.dumps(SETTINGS))
    assert settings.device is Device.GPU
    assert settings.dtype is DataType.FLOAT16
    assert settings.source is Source.HUGGING_FACE
    assert settings.flags.enforce_eager is True
    assert settings.flags.enable_prefix_caching is None
    assert settings.gpu_memory_utilization_percentage == 85


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"maxNumSeq": 1}, "maxNumSeq", id="unknown key"),
        pytest.param(
            {"flags": {"trustRemoteCode": True}}, "trustRemoteCode", id="flag not allowed"
        ),
        pytest.param({"model": "--trust-remote-code"}, "model", id="a flag as the model"),
        pytest.param({"model": "a/b\n--x"}, "model", id="a line break in the model"),
        pytest.param({"servedName": "-x"}, "servedName", id="a flag as the name"),
        pytest.param({"device": "TPU"}, "device", id="unknown device"),
        pytest.param({"blockSize": 0}, "blockSize", id="no block"),
        pytest.param({"port": 70_000}, "port", id="no port"),
        pytest.param({"drainSeconds": -1}, "drainSeconds", id="negative seconds"),
        pytest.param(
            {"gpuMemoryUtilizationPercentage": None}, "kvCacheMemoryBytes", id="no size of the pool"
        ),
        pytest.param({"device": "CPU"}, "kvCacheMemoryBytes", id="a CPU needs the pool's bytes"),
    ],
)
def test_wrong_settings_are_refused_and_the_field_named(change: dict[str, Any], named: str):
    with pytest.raises(SettingsError) as refusal:
        parse_engine_settings(json.dumps(SETTINGS | change))
    assert named in str(refusal.value)


def test_an_empty_environment_is_refused_with_the_variables_name():
    with pytest.raises(SettingsError, match="VIBETHINKER_ENGINE"):
        parse_engine_settings("")
