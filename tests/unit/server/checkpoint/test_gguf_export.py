import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from vibethinker_server.checkpoint import gguf_package
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.gguf_export import Exported, export_gguf
from vibethinker_server.checkpoint.gguf_header import read_gguf_header
from vibethinker_server.checkpoint.gguf_plan import Outtype
from vibethinker_server.checkpoint.output import held
from vibethinker_server.checkpoint.progress import Progress
from vibethinker_server.checkpoint.source import read_checkpoint
from vibethinker_server.checkpoint.tensor_values import read_values, to_float32

from tests.support.tiny_qwen2 import write_tiny_qwen2

EMBEDDING = "model.embed_tokens.weight"
QUERY = "model.layers.1.self_attn.q_proj.weight"


def quiet(progress: Progress) -> None:
    """Shows nothing."""


def export(source: Path, out: Path, outtype: Outtype = Outtype.F16, **more: Any) -> Exported:
    return export_gguf(source, out, outtype, quiet, **more)


def refusal(source: Path, out: Path, outtype: Outtype = Outtype.F16, **more: Any) -> str:
    """Returns what a refused export says; nothing of it may be left behind."""
    before = set(out.parent.iterdir())
    with pytest.raises(CheckpointError) as caught:
        export(source, out, outtype, **more)
    assert set(out.parent.iterdir()) == before
    return str(caught.value)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_tiny_qwen2(tmp_path / "Tiny")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "tiny.gguf"


def values_in(file: Path) -> dict[str, np.ndarray]:
    """Returns every tensor of a file as llama.cpp's package reads it, in float32."""
    return {
        each.name: gguf.quants.dequantize(each.data, each.tensor_type)
        for each in gguf.GGUFReader(file).tensors
    }


def values_of(source: Path) -> dict[str, np.ndarray]:
    checkpoint = read_checkpoint(source)
    return {each.name: to_float32(read_values(each), each.dtype) for each in checkpoint.tensors}


@pytest.mark.parametrize("dtype", ["BF16", "F16", "F32"])
@pytest.mark.parametrize("outtype", list(Outtype))
def test_the_values_are_the_checkpoints(tmp_path: Path, dtype: str, outtype: Outtype) -> None:
    source, out = write_tiny_qwen2(tmp_path / "Tiny", dtype=dtype), tmp_path / "tiny.gguf"

    export(source, out, outtype)

    given, written = values_of(source), values_in(out)
    assert len(written) == len(given)
    # Half a step of the format: 11 and 8 significant bits, and 127 steps of the block's largest.
    allowed = {"f16": 2.0**-11, "bf16": 2.0**-8, "q8_0": 0.5 / 127 * 1.01}[outtype]
    largest = np.abs(given[QUERY]).max()
    assert np.abs(written["blk.1.attn_q.weight"] - given[QUERY]).max() <= largest * allowed
    for name in ("q_proj", "k_proj", "v_proj"):
        bias = written[f"blk.0.attn_{name[0]}.bias"]
        assert np.array_equal(bias, given[f"model.layers.0.self_attn.{name}.bias"])
    assert np.array_equal(written["output_norm.weight"], given["model.norm.weight"])


def test_a_bfloat16_checkpoint_is_kept_bit_for_bit(source: Path, out: Path) -> None:
    export(source, out, Outtype.BF16)

    given, written = values_of(source), values_in(out)
    assert np.array_equal(written["token_embd.weight"], given[EMBEDDING])
    assert np.array_equal(written["blk.1.attn_q.weight"], given[QUERY])


def test_what_the_file_says_of_the_model(source: Path, out: Path) -> None:
    export(source, out, Outtype.Q8_0)

    header = read_gguf_header(out)
    assert header.name == "Tiny"
    assert (header.block_count, header.kv_heads, header.head_size) == (2, 2, 16)
    assert (header.context_length, header.vocabulary) == (512, 8)
    assert header.values["general.file_type"] == 7
    assert header.values["qwen2.rope.freq_base"] == 1e6
    assert header.values["qwen2.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-6)
    assert header.values["general.sampling.temp"] == pytest.approx(0.6)
    assert header.values["general.sampling.top_k"] == 20


def test_the_tokenizer(source: Path, out: Path) -> None:
    export(source, out)

    fields = gguf.GGUFReader(out).fields
    found = {
        key.removeprefix("tokenizer."): field.contents()
        for key, field in fields.items()
        if key.startswith("tokenizer.")
    }
    assert found["ggml.tokens"] == [
        *("a", "b", "ab", "Ġ", "<|endoftext|>", "<|im_end|>", "<tool>"),
        "[PAD7]",
    ]
    assert found["ggml.token_type"] == [1, 1, 1, 1, 3, 3, 4, 5]
    assert found["ggml.merges"] == ["a b"]
    assert (found["ggml.model"], found["ggml.pre"]) == ("gpt2", "qwen2")
    assert found["ggml.bos_token_id"] == 4
    assert found["ggml.eos_token_id"] == 5
    assert found["ggml.padding_token_id"] == 4
    assert found["ggml.add_bos_token"] is False
    assert found["chat_template"] == "{{ messages }}"


def test_an_output_layer_of_its_own_is_written_and_a_tied_one_is_not(tmp_path: Path) -> None:
    tied = write_tiny_qwen2(tmp_path / "tied")
    untied = write_tiny_qwen2(tmp_path / "untied", config={"tie_word_embeddings": False})
    export(tied, tmp_path / "tied.gguf")
    export(untied, tmp_path / "untied.gguf")

    assert "output.weight" not in values_in(tmp_path / "tied.gguf")
    assert "output.weight" in values_in(tmp_path / "untied.gguf")


def test_rows_that_q8_0_cannot_hold_are_f16(tmp_path: Path, out: Path) -> None:
    # 48 is no multiple of 32, and the rows of down_proj are that long.
    source = write_tiny_qwen2(tmp_path / "Tiny", config={"intermediate_size": 48})

    export(source, out, Outtype.Q8_0)

    types = {each.name: each.type.name for each in read_gguf_header(out).tensors}
    assert types["blk.0.ffn_down.weight"] == "F16"
    assert types["blk.0.ffn_up.weight"] == "Q8_0"


def test_progress_ends_at_the_bytes_of_the_weights(source: Path, out: Path) -> None:
    told: list[Progress] = []

    done = export_gguf(source, out, Outtype.Q8_0, told.append)

    written = [each for each in told if each.phase == "writing"]
    assert [each.phase for each in (told[0], told[-1])] == ["reading", "checking"]
    assert written[-1].done_bytes == written[-1].total_bytes == done.after_bytes
    assert done.after_bytes == read_gguf_header(out).weights_bytes
    assert done.before_bytes == read_checkpoint(source).weights_bytes


def test_a_file_that_is_there_is_left_as_it_is(source: Path, out: Path) -> None:
    export(source, out)
    first = out.stat()

    assert export(source, out).was_there
    assert out.stat().st_ino == first.st_ino


def test_another_format_or_checkpoint_needs_overwrite(source: Path, out: Path) -> None:
    export(source, out)
    content = out.read_bytes()

    assert "--overwrite" in refusal(source, out, Outtype.Q8_0)
    other = write_tiny_qwen2(source.parent / "other", scale=2.0)
    assert "another checkpoint" in refusal(other, out)
    assert out.read_bytes() == content

    assert not export(source, out, Outtype.Q8_0, overwrite=True).was_there
    assert read_gguf_header(out).values["general.file_type"] == 7


@pytest.mark.parametrize("content", [b"notes", b"GGUF\x03\0\0\0", b""])
def test_what_was_not_made_here_is_left_alone(source: Path, out: Path, content: bytes) -> None:
    out.write_bytes(content)

    assert "not made here" in refusal(source, out, overwrite=True)
    assert out.read_bytes() == content


def test_a_directory_is_no_place_for_a_file(source: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()

    assert "is a directory" in refusal(source, place)


def test_two_at_once(source: Path, out: Path) -> None:
    with held(out), pytest.raises(CheckpointError, match="held by"):
        export(source, out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("config", "evidence"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, "architectures"),
        ({"quantization_config": {"quant_method": "gptq"}}, "already quantised"),
        ({"hidden_size": "64"}, "hidden_size"),
        ({"num_hidden_layers": 3}, "lacks tensor model.layers.2."),
        ({"num_hidden_layers": 1}, "none of Qwen2's"),
        ({"vocab_size": 9}, "is of shape [8, 64]"),
        ({"tie_word_embeddings": False}, "lm_head.weight"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "rope_scaling is of type yarn"),
    ],
)
def test_a_config_that_does_not_fit(
    source: Path, out: Path, config: dict[str, Any], evidence: str
) -> None:
    file = source / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **config}))

    assert evidence in refusal(source, out)


@pytest.mark.parametrize(
    ("tokenizer", "evidence"),
    [
        ({"model": {"type": "Unigram", "vocab": []}}, "only BPE"),
        ({"model": {"type": "BPE"}}, "make no vocabulary"),
        ({"added_tokens": [{"id": 8, "content": "x"}]}, "number 8, and config.json: vocab_size"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "--converter"),
        ({"pre_tokenizer": None}, "--converter"),
        ({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}, "model.merges is empty"),
    ],
)
def test_a_tokenizer_that_is_not_known(
    tmp_path: Path, out: Path, tokenizer: dict[str, Any], evidence: str
) -> None:
    source = write_tiny_qwen2(tmp_path / "Tiny", tokenizer=tokenizer)

    told = refusal(source, out)
    assert "tokenizer.json" in told
    assert evidence in told


def test_a_tokenizer_that_splits_as_gpt_2_does(tmp_path: Path, out: Path) -> None:
    source = write_tiny_qwen2(tmp_path / "Tiny", tokenizer={"pre_tokenizer": {"type": "ByteLevel"}})

    export(source, out)

    assert read_gguf_header(out).values["tokenizer.ggml.pre"] == "gpt-2"


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_file_that_is_not_there(source: Path, out: Path, missing: str) -> None:
    (source / missing).unlink()

    assert missing.removeprefix("model") in refusal(source, out)


def test_a_truncated_checkpoint(source: Path, out: Path) -> None:
    weights = source / "model.safetensors"
    os.truncate(weights, weights.stat().st_size - 1)

    assert "truncated" in refusal(source, out)


def test_a_damaged_tokenizer_config(source: Path, out: Path) -> None:
    (source / "tokenizer_config.json").write_text("{")

    assert "tokenizer_config.json" in refusal(source, out)


def test_values_that_the_format_cannot_hold(tmp_path: Path, out: Path) -> None:
    large = np.full((8, 64), 1e6, np.float32)
    source = write_tiny_qwen2(tmp_path / "large", tensors={EMBEDDING: large})
    assert "too large for f16: use --outtype bf16" in refusal(source, out)
    export(source, out, Outtype.BF16)

    nothing = np.full((8, 64), np.nan, np.float32)
    broken = write_tiny_qwen2(tmp_path / "broken", tensors={EMBEDDING: nothing})
    assert f"tensor {EMBEDDING} holds" in refusal(broken, tmp_path / "b.gguf", Outtype.Q8_0)


def test_without_the_package_the_extra_is_named(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)

    with pytest.raises(CheckpointError, match=r"vibethinker\[small\]"):
        gguf_package.gguf()
    assert "small" in refusal(source, out)


KILLED = """
import sys
from pathlib import Path
from vibethinker_server.checkpoint.gguf_export import export_gguf
from vibethinker_server.checkpoint.gguf_plan import Outtype

def report(progress):
    if progress.phase == "writing" and progress.done_bytes * 2 > progress.total_bytes:
        print("half", flush=True)
        sys.stdin.read()

export_gguf(Path(sys.argv[1]), Path(sys.argv[2]), Outtype.Q8_0, report)
"""


@pytest.fixture
def half_way(source: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An export that waits half-way."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, source, out],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"half\n"
    with process:
        yield process
        process.kill()


def test_killed_half_way_and_run_again(
    source: Path, out: Path, half_way: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(CheckpointError, match="held by"):
        export(source, out, Outtype.Q8_0)
    half_way.send_signal(signal.SIGKILL)
    half_way.wait()
    assert not out.exists()

    export(source, out, Outtype.Q8_0)

    whole = out.parent / "whole.gguf"
    export(source, whole, Outtype.Q8_0)
    assert out.read_bytes() == whole.read_bytes()
    left = {each.name for each in out.parent.iterdir()}
    assert left == {"Tiny", "tiny.gguf", "whole.gguf"}


FULL = """
import resource, sys
from pathlib import Path
from vibethinker_server.checkpoint.gguf_export import export_gguf
from vibethinker_server.checkpoint.gguf_plan import Outtype

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
export_gguf(Path(sys.argv[1]), Path(sys.argv[2]), Outtype.Q8_0, lambda progress: None)
"""


@pytest.mark.parametrize("limit", [100, 30_000])
def test_a_file_that_cannot_grow_is_an_error_and_leaves_nothing(
    source: Path, out: Path, limit: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, source, out, str(limit)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert f"CheckpointError: {out}: its disk is full (File too large)" in done.stderr
    assert [each.name for each in out.parent.iterdir()] == ["Tiny"]


CONVERTER = """
import sys
{body}
"""


def converter(directory: Path, body: str) -> Path:
    script = directory / "convert_hf_to_gguf.py"
    script.write_text(CONVERTER.format(body=body))
    return script


def test_a_converter_that_fails_is_quoted(source: Path, out: Path, tmp_path: Path) -> None:
    script = converter(tmp_path, "print('no torch', file=sys.stderr); sys.exit(3)")

    told = refusal(source, out, converter=script)
    assert f"{script} ended with 3" in told
    assert "no torch" in told


def test_a_converter_that_writes_nothing_or_nonsense(
    source: Path, out: Path, tmp_path: Path
) -> None:
    assert "wrote no" in refusal(source, out, converter=converter(tmp_path, "pass"))
    nonsense = "open(sys.argv[sys.argv.index('--outfile') + 1], 'w').write('x' * 99)"
    assert "no GGUF" in refusal(source, out, converter=converter(tmp_path, nonsense))


def test_a_converter_that_is_not_there(source: Path, out: Path, tmp_path: Path) -> None:
    assert "no such file" in refusal(source, out, converter=tmp_path / "none.py")
