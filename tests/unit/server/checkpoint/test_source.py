"""Checkpoints that cannot be used: each message names the file and what is wrong in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.source import read_checkpoint

from tests.support.checkpoints import CONFIG, write_checkpoint

INDEX = "model.safetensors.index.json"


def write_config(**changes: Any) -> Callable[[Path], Any]:
    return lambda model: (model / "config.json").write_text(json.dumps(CONFIG | changes))


def write_index(content: Any) -> Callable[[Path], Any]:
    return lambda model: (model / INDEX).write_text(json.dumps(content))


def write_header(header: Any) -> Callable[[Path], Any]:
    text = json.dumps(header).encode()
    return write_bytes(len(text).to_bytes(8, "little") + text + bytes(64))


def write_bytes(data: bytes) -> Callable[[Path], Any]:
    return lambda model: (model / "model.safetensors").write_bytes(data)


def cut(count: int) -> Callable[[Path], Any]:
    def shorten(model: Path) -> None:
        file = model / "model.safetensors"
        file.write_bytes(file.read_bytes()[:-count])

    return shorten


def entry(dtype: Any = "F32", shape: Any = (16,), offsets: Any = (0, 64)) -> dict[str, Any]:
    return {"x": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda model: (model / "config.json").unlink(), r"/model/config\.json: is not there"),
        (lambda model: (model / "config.json").write_text("{"), r"config\.json: is no JSON"),
        (lambda model: (model / "config.json").write_text("[]"), "must hold a JSON object"),
        (lambda model: (model / "config.json").write_bytes(b"\xff"), r"config\.json: is no JSON"),
        (
            write_config(architectures=["LlamaForCausalLM"]),
            r'config\.json: architectures is \["LlamaForCausalLM"\]',
        ),
        (write_config(architectures=None), r"config\.json: architectures is null"),
        (
            write_config(quantization_config={"quant_method": "awq"}),
            r"config\.json: quantization_config is there: .*already quantised \(awq\)",
        ),
        (write_config(quantization_config="x"), r"already quantised \(by a method"),
        (lambda model: (model / "model.safetensors").unlink(), "no weights in it"),
        (
            write_index({"weight_map": {"x": "gone.safetensors"}}),
            r"index\.json: .*gone\.safetensors",
        ),
        (write_index({"weight_map": {"x": "../model.safetensors"}}), "weight_map must give"),
        (write_index({"weight_map": {"x": 5}}), "weight_map must give"),
        (write_index({"weight_map": {}}), "weight_map must give"),
        (write_index({}), "weight_map must give"),
        (write_index([]), "must hold a JSON object"),
        (
            write_index({"weight_map": {"x": "model.safetensors"}}),
            r"model\.safetensors: lacks tensor x, which .*index\.json names",
        ),
        (write_bytes(b""), r"model\.safetensors: truncated: .* the file has 0"),
        (write_bytes(b"\x05"), r"model\.safetensors: truncated"),
        (write_bytes(b"\xff" * 8), r"model\.safetensors: truncated: its header ends"),
        (write_bytes(b"\x02\0\0\0\0\0\0\0[]"), "header is no object"),
        (write_bytes(b"\x02\0\0\0\0\0\0\0{{"), "header is no JSON"),
        (cut(1), r"model\.safetensors: truncated: tensor model\.norm\.weight ends at byte"),
        (write_header(entry(dtype="F4")), "tensor x: dtype, shape and data_offsets"),
        (write_header(entry(dtype=[])), "tensor x: dtype, shape and data_offsets"),
        (write_header(entry(shape=[-16])), "tensor x: dtype, shape and data_offsets"),
        (write_header(entry(shape=[16.0])), "tensor x: dtype, shape and data_offsets"),
        (write_header(entry(shape=[True])), "tensor x: dtype, shape and data_offsets"),
        (write_header(entry(offsets=[0])), "tensor x: dtype, shape and data_offsets"),
        (write_header({"x": 5}), "tensor x: dtype, shape and data_offsets"),
        (write_header(entry(offsets=[0, 60])), "data_offsets of x do not fit"),
        (write_header(entry(offsets=[4, 68])), "data_offsets of x do not fit"),
        (write_header(entry(shape=[17], offsets=[0, 68])), r"truncated: tensor x ends at byte"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, spoil: Callable[[Path], Any], message: str):
    model = write_checkpoint(tmp_path / "model")
    read_checkpoint(model)
    spoil(model)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(model)


def test_a_directory_that_is_not_there(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"/gone: there is no such directory"):
        read_checkpoint(tmp_path / "gone")
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="there is no such directory"):
        read_checkpoint(tmp_path / "file")


def test_a_header_without_an_end_is_not_read(tmp_path: Path):
    model = write_checkpoint(tmp_path / "model")
    with (model / "model.safetensors").open("wb") as stream:
        stream.write((2 * 10**8).to_bytes(8, "little"))
        stream.truncate(3 * 10**8)
    with pytest.raises(CheckpointError, match="would take 200000000 bytes"):
        read_checkpoint(model)


def test_a_shard_that_is_missing_is_named(tmp_path: Path):
    model = write_checkpoint(tmp_path / "model", shards=3)
    (model / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"names model-00002-of-00003\.safetensors, which is"):
        read_checkpoint(model)


def test_a_tensor_in_two_files_is_named(tmp_path: Path):
    model = write_checkpoint(tmp_path / "model")
    (model / "old.safetensors").write_bytes((model / "model.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match=r"old\.safetensors: tensor .* is in model\.safetens"):
        read_checkpoint(model)


def test_files_that_the_index_does_not_name_are_no_part_of_it(tmp_path: Path):
    model = write_checkpoint(tmp_path / "model", shards=2)
    (model / "consolidated.safetensors").write_bytes(b"the same, in another layout")
    assert len(read_checkpoint(model).shards) == 2


def test_the_hubs_cache_of_links_is_read_as_it_is(tmp_path: Path):
    real = write_checkpoint(tmp_path / "blobs")
    (tmp_path / "snapshot").mkdir()
    for file in real.iterdir():
        (tmp_path / "snapshot" / file.name).symlink_to(file)
    linked = read_checkpoint(tmp_path / "snapshot")
    assert linked.weights_bytes == read_checkpoint(real).weights_bytes > 0
    assert [file.name for file in linked.other_files] == ["tokenizer.json"]
