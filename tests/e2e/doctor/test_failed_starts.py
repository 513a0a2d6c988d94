"""Starts of real vLLM that fail: diagnosed right first, and the remedy, applied, then works."""

import json
from pathlib import Path
from typing import Any

import pytest
from vibethinker_doctor.last_words import find_last_words

from tests.cluster.model import toy_model
from tests.e2e.doctor.staged import Death, apply_remedy, fail_to_start, started, starts
from tests.e2e.real_engine import READY_SECONDS

MIB = 2**20


def check(death: Death, code: str) -> None:
    assert death.exit_code != 0
    assert death.from_log.code == code, death.log[-3000:]
    assert death.from_termination_log is not None, death.log[-3000:]
    assert death.from_termination_log.code == code
    assert death.from_termination_log.value == death.from_log.value


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        # 4096 tokens of 57,344 bytes are 224 MiB, which is too much for the first of these pools;
        # 8192 are too much for the second.
        ("KvCacheTooSmall", {"kvCacheMemoryBytes": 64 * MIB}),
        pytest.param(
            "MaxModelLenTooLarge",
            {"kvCacheMemoryBytes": 300 * MIB, "maxModelLen": 8192},
            marks=pytest.mark.thorough,
        ),
        pytest.param(
            "MaxModelLenAboveModel", {"maxModelLen": 1_000_000}, marks=pytest.mark.thorough
        ),
        pytest.param(
            "BatchedTokensBelowSequences",
            {"maxNumSeqs": 128, "maxNumBatchedTokens": 64},
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_settings_that_do_not_fit_are_told_and_the_named_value_does(
    tmp_path: Path, code: str, changes: dict[str, Any]
):
    if code == "MaxModelLenTooLarge":
        model = copy_model(tmp_path / "model", max_position_embeddings=16_384)
        changes = changes | {"model": str(model)}
    death = fail_to_start(tmp_path / "fails", changes)
    print(f"{code}: {death.from_log}")
    check(death, code)
    assert starts(tmp_path / "works", apply_remedy(death.from_log, changes))


@pytest.mark.thorough
def test_a_checkpoint_whose_plugin_is_missing(tmp_path: Path):
    quantized = {"quant_method": "bitsandbytes", "load_in_8bit": True}
    model = copy_model(tmp_path / "model", quantization_config=quantized)
    death = fail_to_start(tmp_path / "fails", {"model": str(model)})
    # Our server looks before it starts the engine: the log's end is all that the kubelet keeps.
    assert death.exit_code == 2
    assert death.from_log.code == "QuantizationPluginMissing"
    assert "vllm-bnb-plugin" in death.from_log.remedy


def copy_model(directory: Path, **config: Any) -> Path:
    """The toy model with other words in its config.json."""
    directory.mkdir()
    for file in toy_model().iterdir():
        (directory / file.name).symlink_to(file)
    own = json.loads((toy_model() / "config.json").read_text())
    (directory / "config.json").unlink()
    (directory / "config.json").write_text(json.dumps(own | config))
    return directory


SABOTAGE = """\
from vibethinker_server import engine_args

render = engine_args.render_engine_args
engine_args.render_engine_args = lambda *a, **k: [*render(*a, **k), "--swap-space", "4"]
"""


def test_a_flag_that_is_gone_is_found_in_the_log_which_is_all_that_there_is(tmp_path: Path):
    (tmp_path / "sabotage").mkdir()
    (tmp_path / "sabotage" / "sitecustomize.py").write_text(SABOTAGE)
    death = fail_to_start(tmp_path / "fails", {}, first_on_path=tmp_path / "sabotage")
    assert death.exit_code == 2
    assert death.from_log.code == "FlagGone"
    assert "--swap-space" in death.from_log.remedy
    # argparse ends the process itself: the file is empty, and the kubelet takes the log's end.
    assert death.kept == ""


@pytest.mark.thorough
def test_a_variable_that_is_gone_is_told_of_while_it_serves(tmp_path: Path):
    with started(tmp_path / "old", {}, environment={"VLLM_USE_V1": "1"}) as engine:
        engine.wait_for(lambda: engine.phase() == "Serving", READY_SECONDS)
        log = engine.log.read_text(errors="replace")
    assert [finding.code for finding in find_last_words(log)] == ["VariableGone"]
    assert not (tmp_path / "old" / "termination-log").exists()
