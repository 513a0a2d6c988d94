import json
import sys
from pathlib import Path

import pytest
from vibethinker_doctor.last_words import find_last_words
from vibethinker_server import __main__ as command
from vibethinker_server.quantization_check import IN_TREE, check_quantization
from vibethinker_server.start_error import StartError

from tests.support.server_runtime import make_settings

BITSANDBYTES = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of packages, the first that Python looks into."""
    directory = tmp_path / "site"
    directory.mkdir()
    monkeypatch.syspath_prepend(directory)
    for name in ("vllm", "bitsandbytes"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return directory


def install_library(site: Path) -> None:
    (site / "bitsandbytes").mkdir()
    (site / "bitsandbytes" / "__init__.py").write_text("raise RuntimeError('imported')")


def install_plugin(site: Path) -> None:
    info = site / "vllm_bnb_plugin-0.0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: vllm-bnb-plugin\nVersion: 0.0.3\n")
    entry = "[vllm.general_plugins]\nbitsandbytes = vllm_bnb_plugin:register\n"
    (info / "entry_points.txt").write_text(entry)


def make_model(directory: Path, config: object) -> str:
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(config))
    return str(directory)


def check(tmp_path: Path, config: object) -> None:
    model = make_model(tmp_path / "model", config)
    check_quantization(make_settings(model=model, source="Volume"), {})


def test_without_plugin_and_library_both_are_named_and_how_they_get_there(
    tmp_path: Path, site: Path
):
    with pytest.raises(StartError) as refused:
        check(tmp_path, BITSANDBYTES)
    text = str(refused.value)
    assert f"{tmp_path}/model/config.json: quantization_config.quant_method" in text
    assert "lacks vllm-bnb-plugin and bitsandbytes:" in text
    assert "PYTHONPATH" in text
    assert "--method w8a8" in text
    (finding,) = find_last_words(str(refused.value))
    assert finding.code == "QuantizationPluginMissing"


def test_a_plugin_without_the_library_is_not_enough(tmp_path: Path, site: Path):
    install_plugin(site)
    with pytest.raises(StartError, match="lacks bitsandbytes:"):
        check(tmp_path, BITSANDBYTES)


def test_a_library_without_the_plugin_is_not_enough(tmp_path: Path, site: Path):
    install_library(site)
    with pytest.raises(StartError, match="lacks vllm-bnb-plugin:"):
        check(tmp_path, BITSANDBYTES)


def test_with_both_it_starts_and_nothing_is_imported(tmp_path: Path, site: Path):
    install_plugin(site)
    install_library(site)
    check(tmp_path, BITSANDBYTES)


def test_an_old_engine_that_brings_it_itself_needs_no_plugin(tmp_path: Path, site: Path):
    install_library(site)
    (site / "vllm" / IN_TREE).parent.mkdir(parents=True)
    (site / "vllm" / IN_TREE).touch()
    check(tmp_path, BITSANDBYTES)


@pytest.mark.parametrize(
    "config",
    [
        {},
        [],
        {"quantization_config": None},
        {"quantization_config": {}},
        {"quantization_config": {"quant_method": "compressed-tensors"}},
    ],
)
def test_other_checkpoints_need_nothing(tmp_path: Path, site: Path, config: object):
    check(tmp_path, config)


@pytest.mark.parametrize(
    ("device", "flags", "dtype", "refused"),
    [
        ("GPU", "", "Float32", True),
        ("GPU", "", "Float16", False),
        ("CPU", "flags : avx2 amx_tile amx_int8", "Float32", True),
        ("CPU", "flags : avx2 amx_tile amx_int8", "BFloat16", False),
        ("CPU", "flags : avx2", "Float32", False),
        ("CPU", None, "Float32", False),
    ],
)
def test_w8a8_in_float32_is_refused_where_the_kernels_take_16_bits_alone(
    tmp_path: Path, device: str, flags: str | None, dtype: str, refused: bool
):
    model = make_model(
        tmp_path / "model", {"quantization_config": {"quant_method": "compressed-tensors"}}
    )
    settings = make_settings(
        model=model, source="Volume", dtype=dtype, device=device, kvCacheMemoryBytes=1
    )
    processors = tmp_path / "cpuinfo"
    if flags is not None:
        processors.write_text(flags)
    if not refused:
        check_quantization(settings, {}, processors)
        return
    with pytest.raises(StartError, match=r"model/config\.json: .*--set dtype=BFloat16"):
        check_quantization(settings, {}, processors)


def test_a_model_that_is_not_there_yet_is_let_pass(tmp_path: Path, site: Path):
    check_quantization(make_settings(), {"HF_HOME": str(tmp_path)})


def test_a_downloaded_one_is_found_in_the_hubs_cache(tmp_path: Path, site: Path):
    snapshot = tmp_path / "hub" / "models--WeiboAI--VibeThinker-1.5B" / "snapshots"
    snapshot.mkdir(parents=True)
    make_model(snapshot / "main", BITSANDBYTES)
    with pytest.raises(StartError, match="snapshots/main/config"):
        check_quantization(make_settings(), {"HF_HOME": str(tmp_path)})


def test_serve_refuses_before_it_opens_a_port(
    tmp_path: Path,
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    model = make_model(tmp_path / "model", BITSANDBYTES)
    settings = make_settings(model=model, source="Volume")
    monkeypatch.setenv("VIBETHINKER_ENGINE", settings.model_dump_json(by_alias=True))
    monkeypatch.setenv("VIBETHINKER_FILES", str(tmp_path))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    assert command.main(["serve"]) == 2
    assert "lacks vllm-bnb-plugin and bitsandbytes" in capsys.readouterr().err
