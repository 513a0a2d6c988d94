"""A whole INT8 checkpoint, read by the format's own library."""

import json
from pathlib import Path

import numpy as np
import pytest
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.int8_layout import LINEAR_LAYERS, Method, is_quantized
from vibethinker_server.checkpoint.int8_rounding import round_rows, round_rows_as_bitsandbytes
from vibethinker_server.checkpoint.output import beside
from vibethinker_server.checkpoint.progress import Progress
from vibethinker_server.checkpoint.quantization import quantize
from vibethinker_server.checkpoint.safetensors_header import read_header
from vibethinker_server.checkpoint.source import read_checkpoint
from vibethinker_server.checkpoint.stamp import fingerprint

from tests.support.checkpoints import (
    CONFIG,
    TOKENIZER,
    content,
    read_raw,
    read_tensor,
    write_checkpoint,
)

METHODS = list(Method)
LAYER = "model.layers.1.mlp.down_proj"


def ignore(progress: Progress) -> None:
    pass


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_everything_but_the_linear_layers_stays_byte_for_byte(
    tmp_path: Path, method: Method, dtype: str
):
    source = write_checkpoint(tmp_path / "model", CONFIG | {"dtype": dtype}, shards=2)
    quantize(source, tmp_path / "int8", method, ignore)
    before, after = read_raw(source), read_raw(tmp_path / "int8")
    quantized = {name for name in before if is_quantized(name)}
    assert len(quantized) == 2 * len(LINEAR_LAYERS)
    for name in before.keys() - quantized:
        assert after[name] == before[name]
    added = {"weight_scale": method is Method.W8A8, "SCB": method is Method.BITSANDBYTES}
    added["weight_format"] = added["SCB"]
    extra = {
        f"{name.removesuffix('weight')}{ending}"
        for name in quantized
        for ending, there in added.items()
        if there
    }
    assert after.keys() == before.keys() | extra


def test_w8a8_weights_and_scales_are_those_of_the_rows(tmp_path: Path):
    source = write_checkpoint(tmp_path / "model")
    quantize(source, tmp_path / "int8", Method.W8A8, ignore)
    weights, scales = round_rows(read_tensor(source, f"{LAYER}.weight"))
    assert (read_tensor(tmp_path / "int8", f"{LAYER}.weight") == weights).all()
    assert (read_tensor(tmp_path / "int8", f"{LAYER}.weight_scale") == scales[:, None]).all()


def test_bitsandbytes_weights_scales_and_order(tmp_path: Path):
    source = write_checkpoint(tmp_path / "model")
    quantize(source, tmp_path / "int8", Method.BITSANDBYTES, ignore)
    weights, largest = round_rows_as_bitsandbytes(read_tensor(source, f"{LAYER}.weight"))
    assert (read_tensor(tmp_path / "int8", f"{LAYER}.weight") == weights).all()
    assert (read_tensor(tmp_path / "int8", f"{LAYER}.SCB") == largest).all()
    assert read_tensor(tmp_path / "int8", f"{LAYER}.weight_format") == 0


@pytest.mark.parametrize("method", METHODS)
def test_rows_that_are_read_in_pieces_make_the_same(
    tmp_path: Path, method: Method, monkeypatch: pytest.MonkeyPatch
):
    source = write_checkpoint(tmp_path / "model")
    quantize(source, tmp_path / "whole", method, ignore)
    monkeypatch.setattr("vibethinker_server.checkpoint.tensor_values.PIECE_BYTES", 300)
    quantize(source, tmp_path / "pieces", method, ignore)
    assert content(tmp_path / "whole") == content(tmp_path / "pieces")


def test_config_and_tokenizer_come_along(tmp_path: Path):
    source = write_checkpoint(tmp_path / "model")
    (source / "model.gguf").write_bytes(b"other weights")
    (source / ".gitattributes").write_text("")
    quantize(source, tmp_path / "int8", Method.W8A8, ignore)
    assert sorted(content(tmp_path / "int8")) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "vibethinker.json",
    ]
    assert (tmp_path / "int8" / "tokenizer.json").read_text() == TOKENIZER
    config = json.loads((tmp_path / "int8" / "config.json").read_text())
    quantization = config.pop("quantization_config")
    assert config == CONFIG
    assert quantization["quant_method"] == "compressed-tensors"
    assert quantization["ignore"] == ["lm_head"]


def test_bitsandbytes_is_8_bit_and_says_so(tmp_path: Path):
    source = write_checkpoint(tmp_path / "model")
    quantize(source, tmp_path / "int8", Method.BITSANDBYTES, ignore)
    config = json.loads((tmp_path / "int8" / "config.json").read_text())["quantization_config"]
    assert (config["load_in_8bit"], config["load_in_4bit"]) == (True, False)
    assert config["llm_int8_skip_modules"] == ["lm_head"]


@pytest.mark.parametrize("method", METHODS)
def test_shards_hold_the_same_as_one_file(tmp_path: Path, method: Method):
    source = write_checkpoint(tmp_path / "model")
    quantize(source, tmp_path / "one", method, ignore)
    quantize(source, tmp_path / "many", method, ignore, shard_bytes=30_000)
    assert read_raw(tmp_path / "many") == read_raw(tmp_path / "one")
    index = json.loads((tmp_path / "many" / "model.safetensors.index.json").read_text())
    files = sorted(file.name for file in (tmp_path / "many").glob("*.safetensors"))
    assert len(files) > 2
    assert sorted(set(index["weight_map"].values())) == files
    for name in files:
        named = {tensor for tensor, shard in index["weight_map"].items() if shard == name}
        assert named == {tensor.name for tensor in read_header(tmp_path / "many" / name)}


def test_sizes_are_those_of_the_files(tmp_path: Path):
    source = write_checkpoint(tmp_path / "model")
    result = quantize(source, tmp_path / "int8", Method.W8A8, ignore)
    assert result.before_bytes == sum(len(data) for _, _, data in read_raw(source).values())
    written = read_raw(tmp_path / "int8").values()
    assert result.after_bytes == sum(len(data) for _, _, data in written)
    assert result.was_there is False


def test_progress_ends_at_the_whole(tmp_path: Path):
    seen: list[Progress] = []
    source = write_checkpoint(tmp_path / "model")
    result = quantize(source, tmp_path / "int8", Method.BITSANDBYTES, seen.append)
    assert [each.phase for each in (seen[0], seen[-1])] == ["reading", "flushing"]
    steps = [each for each in seen if each.phase == "quantizing"]
    assert steps[-1].done_bytes == steps[-1].total_bytes == result.after_bytes
    assert [each.done_bytes for each in steps] == sorted(each.done_bytes for each in steps)


def test_a_second_run_changes_nothing_and_says_so(tmp_path: Path):
    source = write_checkpoint(tmp_path / "model")
    first = quantize(source, tmp_path / "int8", Method.W8A8, ignore)
    written = [(file.name, file.stat().st_mtime_ns) for file in (tmp_path / "int8").iterdir()]
    second = quantize(source, tmp_path / "int8", Method.W8A8, ignore)
    assert second.was_there is True
    assert second.after_bytes == first.after_bytes
    assert written == [
        (file.name, file.stat().st_mtime_ns) for file in (tmp_path / "int8").iterdir()
    ]
    assert not beside(tmp_path / "int8", "lock").exists()


def test_another_source_replaces_nothing_unless_it_is_told_to(tmp_path: Path):
    out = tmp_path / "int8"
    quantize(write_checkpoint(tmp_path / "model"), out, Method.W8A8, ignore)
    before = content(out)
    other = write_checkpoint(tmp_path / "other", seed=99)
    with pytest.raises(CheckpointError, match=rf"{out}: holds w8a8 made from another checkpoint"):
        quantize(other, out, Method.W8A8, ignore)
    assert content(out) == before
    result = quantize(other, out, Method.W8A8, ignore, overwrite=True)
    assert result.was_there is False
    assert content(out) != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["int8", "model", "other"]


def test_another_method_is_another_output(tmp_path: Path):
    source, out = write_checkpoint(tmp_path / "model"), tmp_path / "int8"
    quantize(source, out, Method.W8A8, ignore)
    with pytest.raises(CheckpointError, match="holds w8a8 made from the same checkpoint"):
        quantize(source, out, Method.BITSANDBYTES, ignore)


@pytest.mark.parametrize("overwrite", [True, False])
def test_what_is_not_ours_is_never_replaced(tmp_path: Path, overwrite: bool):
    source, out = write_checkpoint(tmp_path / "model"), tmp_path / "int8"
    out.mkdir()
    (out / "letters").write_text("mine")
    with pytest.raises(CheckpointError, match="not made here"):
        quantize(source, out, Method.W8A8, ignore, overwrite=overwrite)
    assert content(out) == {"letters": b"mine"}


def test_an_empty_directory_is_as_good_as_none(tmp_path: Path):
    source, out = write_checkpoint(tmp_path / "model"), tmp_path / "a" / "int8"
    out.mkdir(parents=True)
    quantize(source, out, Method.W8A8, ignore)
    assert (out / "vibethinker.json").exists()


def test_a_revision_of_the_same_shapes_has_another_fingerprint(tmp_path: Path):
    first = read_checkpoint(write_checkpoint(tmp_path / "first"))
    same = read_checkpoint(write_checkpoint(tmp_path / "same"))
    other = read_checkpoint(write_checkpoint(tmp_path / "other", seed=7))
    assert fingerprint(first) == fingerprint(same) != fingerprint(other)
    (tmp_path / "same" / "tokenizer.json").write_text("{}")
    assert fingerprint(read_checkpoint(tmp_path / "same")) != fingerprint(first)


@pytest.mark.parametrize(
    ("method", "value", "message"),
    [
        (Method.W8A8, np.nan, "no finite numbers"),
        (Method.BITSANDBYTES, np.inf, "no finite numbers"),
        (Method.BITSANDBYTES, 70_000.0, "too large for float16.*--method w8a8"),
    ],
)
def test_values_that_no_int8_can_stand_for_name_the_tensor(
    tmp_path: Path, method: Method, value: float, message: str
):
    source = write_checkpoint(tmp_path / "model", CONFIG | {"dtype": "float32"})
    tensor = next(
        each for each in read_checkpoint(source).tensors if each.name == f"{LAYER}.weight"
    )
    with tensor.file.open("r+b") as stream:
        stream.seek(tensor.begin)
        stream.write(np.float32(value).tobytes())
    with pytest.raises(CheckpointError, match=rf"tensor {LAYER}\.weight holds .*{message}"):
        quantize(source, tmp_path / "int8", method, ignore)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("layers", [None, 0, "2", 3])
def test_a_config_that_does_not_say_how_many_blocks_there_are(tmp_path: Path, layers: object):
    source = write_checkpoint(tmp_path / "model")
    (source / "config.json").write_text(json.dumps(CONFIG | {"num_hidden_layers": layers}))
    with pytest.raises(CheckpointError, match=r"num_hidden_layers"):
        quantize(source, tmp_path / "int8", Method.W8A8, ignore)


def test_the_source_is_never_the_output(tmp_path: Path):
    source = write_checkpoint(tmp_path / "model")
    before = content(source)
    with pytest.raises(CheckpointError, match="is the source itself"):
        quantize(source, source, Method.W8A8, ignore, overwrite=True)
    assert content(source) == before
