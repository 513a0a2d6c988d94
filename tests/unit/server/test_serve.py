import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from vibethinker_server import __main__ as command
from vibethinker_server.device_memory import CgroupProbe, NvmlProbe
from vibethinker_server.known_models import VIBETHINKER_1_5B
from vibethinker_server.openai_errors import OpenAIError
from vibethinker_server.serve import DEFAULT_POLICY, build_probe, build_runtime, read_policy
from vibethinker_server.start_error import StartError

from tests.support.policy_document import POLICY
from tests.support.server_runtime import make_settings


def test_the_policy_of_the_start_is_the_operators(tmp_path: Path):
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(POLICY))
    assert read_policy(file).generation == 3


def test_without_a_policy_the_defaults_hold(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    file = tmp_path / "policy.json"
    assert read_policy(file) == DEFAULT_POLICY
    assert str(file) in caplog.text


@pytest.mark.parametrize("text", ["", "{}", '{"generation": 3, "profiles": "app"}'])
def test_over_a_policy_that_breaks_a_rule_no_pod_starts(tmp_path: Path, text: str):
    file = tmp_path / "policy.json"
    file.write_text(text)
    with pytest.raises(StartError, match=r"policy\.json is refused"):
        read_policy(file)


def test_a_pod_answers_by_its_name(tmp_path: Path):
    settings = make_settings()
    named = build_runtime(settings, tmp_path, {"POD_NAME": "pod-1", "HOSTNAME": "host"})
    assert named.served_by == b"pod-1"
    assert build_runtime(settings, tmp_path, {"HOSTNAME": "host"}).served_by == b"host"


def test_the_model_that_is_served_is_known_by_its_repository(tmp_path: Path):
    assert build_runtime(make_settings(), tmp_path, {}).model is VIBETHINKER_1_5B
    assert build_runtime(make_settings(model="somebody/else"), tmp_path, {}).model is None


def test_keys_are_asked_for_exactly_where_the_operator_says_where_they_lie(tmp_path: Path):
    settings, directory = make_settings(), tmp_path / "not-there"
    assert build_runtime(settings, tmp_path, {}).api_keys is None
    keys = build_runtime(settings, tmp_path, {"VIBETHINKER_API_KEYS": str(directory)}).api_keys
    assert keys is not None
    with pytest.raises(OpenAIError, match="nobody gets in"):
        keys.read(0.0)


def test_the_device_decides_what_is_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pynvml", SimpleNamespace())
    assert isinstance(build_probe(make_settings(), {}), NvmlProbe)
    cpu = make_settings(device="CPU", kvCacheMemoryBytes=1)
    assert isinstance(build_probe(cpu, {}), CgroupProbe)


@pytest.mark.parametrize("name", ["serve", "drain"])
def test_a_command_without_settings_says_which_variable_is_wrong(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("VIBETHINKER_ENGINE", raising=False)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert command.main([name]) == 2
    assert "VIBETHINKER_ENGINE" in capsys.readouterr().err
