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
        # 4096 tokens of 57,344 bytes are 224 MiB.
        ("KvCacheTooSmall", {"kvCacheMemoryBytes": 64 * MIB}),
        (
            "MaxModelLenTooLarge",
            {"kvCacheMemoryBytes": 300 * MIB, "maxModelLen": 8192, "maxNumBatchedTokens": 1024},
        ),
        ("MaxModelLenAboveModel", {"maxModelLen": 1_000_000}),
        ("BatchedTokensBelowSequences", {"maxNumSeqs": 128, "maxNumBatchedTokens": 64}),
    ],
)
def test_settings_that_do_not_fit_are_told_and_the_named_value_does(
    tmp_path: Path, code: str, changes: dict[str, Any]
):
    death = fail_to_start(tmp_path / "fails", changes)
    print(f"{code}: {death.from_log.evidence}")
    check(death, code)
    mended = apply_remedy(death.from_log, changes)
    if code == "MaxModelLenAboveModel":
        # What the model can do is more than this machine holds: the next remedy is due then.
        again = fail_to_start(tmp_path / "again", mended)
        check(again, "MaxModelLenTooLarge")
        mended = apply_remedy(again.from_log, mended)
    assert starts(tmp_path / "works", mended)


def test_a_checkpoint_whose_plugin_is_missing(tmp_path: Path):
    model = tmp_path / "model"
    model.mkdir()
    for file in toy_model().iterdir():
        (model / file.name).symlink_to(file)
    config = json.loads((toy_model() / "config.json").read_text())
    (model / "config.json").unlink()
    quantized = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}}
    (model / "config.json").write_text(json.dumps(config | quantized))
    death = fail_to_start(tmp_path / "fails", {"model": str(model)})
    check(death, "QuantizationPluginMissing")
    assert "vllm-bnb-plugin" in death.from_log.remedy


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


def test_a_variable_that_is_gone_is_told_of_while_it_serves(tmp_path: Path):
    with started(tmp_path / "old", {}, environment={"VLLM_USE_V1": "1"}) as engine:
        engine.wait_for(lambda: engine.phase() == "Serving", READY_SECONDS)
        log = engine.log.read_text(errors="replace")
    assert [finding.code for finding in find_last_words(log)] == ["VariableGone"]
    assert not (tmp_path / "old" / "termination-log").exists()
