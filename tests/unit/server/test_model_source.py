import json
import re
from pathlib import Path

import pytest
from vibethinker_server.engine_settings import Source
from vibethinker_server.one_click.model_source import locate_model, suggest
from vibethinker_server.start_error import StartError

RIGHT = "did you mean WeiboAI/VibeThinker-1.5B?"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_model(directory: Path) -> Path:
    directory.mkdir(parents=True)
    (directory / "config.json").write_text("{}")
    (directory / "model.safetensors").write_bytes(b"")
    return directory


@pytest.mark.parametrize("name", ["WeiboAI/VibeThinker-1.5B", "somebody/else", "a.b/c_d-1"])
def test_a_repositorys_name_is_one_of_the_hub(name: str):
    located = locate_model(name)
    assert (located.model, located.source) == (name, Source.HUGGING_FACE)


@pytest.mark.parametrize("name", ["model", "./model", "with space"])
def test_a_directory_here_is_a_model_by_its_absolute_path(name: str, tmp_path: Path):
    directory = write_model(tmp_path / name)
    located = locate_model(name)
    assert (located.model, located.source) == (str(directory.resolve()), Source.VOLUME)


@pytest.mark.parametrize(
    ("method", "in_16_bits"), [("compressed-tensors", True), ("bitsandbytes", False)]
)
def test_w8a8_is_seen_to_compute_in_16_bits(tmp_path: Path, method: str, in_16_bits: bool):
    directory = write_model(tmp_path / "model")
    config = {"quantization_config": {"quant_method": method}}
    (directory / "config.json").write_text(json.dumps(config))
    assert locate_model("model").in_16_bits is in_16_bits


@pytest.mark.parametrize(
    "name", ["weibo/VibeThinker-1.5B", "Weibo/VibeThinker-1.5B", "VibeThinker-1.5B", "vibethinker"]
)
def test_a_misspelt_name_is_refused_with_the_right_one(name: str):
    with pytest.raises(StartError, match=re.escape(f"--model {name}") + ".*" + re.escape(RIGHT)):
        locate_model(name)


def test_a_name_like_none_is_refused_without_a_guess():
    with pytest.raises(StartError) as refusal:
        locate_model("gpt two")
    assert "did you mean" not in str(refusal.value)


@pytest.mark.parametrize("name", ["/not/here", "./not-here", "~/not-here-either"])
def test_a_path_that_is_not_there_is_no_repository(name: str):
    with pytest.raises(StartError, match="there is no such directory"):
        locate_model(name)


@pytest.mark.parametrize(("gone", "message"), [("config", "config.json"), ("model", "weights")])
def test_a_directory_without_a_model_is_refused_with_what_is_missing(
    gone: str, message: str, tmp_path: Path
):
    directory = write_model(tmp_path / "model")
    for file in directory.glob(f"{gone}*"):
        file.unlink()
    with pytest.raises(StartError, match=message):
        locate_model(str(directory))


@pytest.mark.parametrize(
    ("name", "right"),
    [("WeiboAI/VibeThinker-1.5b", f": {RIGHT}"), ("WeiboAI/VibeThinker-1.5B", "."), ("a/b", ".")],
)
def test_only_what_is_alike_and_not_the_same_is_suggested(name: str, right: str):
    assert suggest(name) == right
