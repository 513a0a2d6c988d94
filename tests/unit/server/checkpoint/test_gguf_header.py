import struct
from pathlib import Path

import gguf
import numpy as np
import pytest
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError
from vibethinker_server.checkpoint.ggml_types import F16, Q8_0, TYPES
from vibethinker_server.checkpoint.gguf_header import GgufHeader, read_gguf_header

WIDTH, ROWS = 64, 10


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "model.gguf")


def write(path: Path, architecture: str = "qwen2", parts: int = 1) -> Path:
    """Writes a small model with llama.cpp's own package."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Toy")
    writer.add_block_count(28)
    writer.add_context_length(4096)
    writer.add_embedding_length(1536)
    writer.add_head_count(12)
    writer.add_head_count_kv(2)
    writer.add_token_list(["<|a|>", "b", "ć"])
    writer.add_token_types([3, 1, 1])
    writer.add_add_bos_token(False)
    if parts > 1:
        writer.add_uint16("split.count", parts)
    rows = np.linspace(-1, 1, ROWS * WIDTH, dtype=np.float32).reshape(ROWS, WIDTH)
    eighths = gguf.quants.quantize(rows, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("blk.0.ffn_up.weight", rows.astype(np.float16))
    writer.add_tensor("output.weight", eighths, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def refusal(path: Path, architecture: str | None = "qwen2") -> str:
    with pytest.raises(CheckpointError) as caught:
        read_gguf_header(path, architecture)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_header_that_llama_cpps_package_wrote(file: Path) -> None:
    header = read_gguf_header(file)

    assert (header.architecture, header.name) == ("qwen2", "Toy")
    assert (header.block_count, header.context_length) == (28, 4096)
    assert (header.kv_heads, header.head_size, header.vocabulary) == (2, 128, 3)
    assert header.values["tokenizer.ggml.add_bos_token"] is False
    first, second = header.tensors
    assert (first.name, first.shape, first.type) == ("blk.0.ffn_up.weight", (WIDTH, ROWS), F16)
    assert (second.type, second.byte_count) == (Q8_0, ROWS * WIDTH // 32 * 34)
    assert header.weights_bytes == ROWS * WIDTH * 2 + second.byte_count


def test_the_stated_head_size_wins_over_the_computed_one() -> None:
    values = {
        "qwen2.embedding_length": 256,
        "qwen2.attention.head_count": 2,
        "qwen2.attention.key_length": 96,
    }

    header = GgufHeader("qwen2", values, {}, ())

    assert header.head_size == 96
    assert header.kv_heads == 2


@pytest.mark.parametrize("value", [0, -1, True, "28", 2.5])
def test_what_is_no_count_is_unknown(value: float | str) -> None:
    header = GgufHeader("qwen2", {"qwen2.block_count": value}, {}, ())

    assert header.block_count is None
    assert header.head_size is None


def test_every_type_is_of_the_size_that_llama_cpps_package_says() -> None:
    for number, kind in TYPES.items():
        known = gguf.GGMLQuantizationType(number)
        assert known.name == kind.name
        assert gguf.GGML_QUANT_SIZES[known] == (kind.block, kind.bytes)


def test_another_architecture_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "other.gguf", architecture="llama")

    assert "general.architecture is 'llama'" in refusal(file)
    assert read_gguf_header(file, architecture=None).architecture == "llama"


def test_one_part_of_several_is_refused(tmp_path: Path) -> None:
    assert "one of 3 parts" in refusal(write(tmp_path / "part.gguf", parts=3))


def test_a_missing_file_and_a_directory(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.gguf")
    assert "directory" in refusal(tmp_path)


def test_another_format(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"PK\x03\x04" + bytes(100))

    assert "no GGUF file" in refusal(file)


@pytest.mark.parametrize("version", [1, 4, 3 << 24])
def test_a_version_that_is_not_known(file: Path, version: int) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:4] + struct.pack("<I", version) + content[8:])

    assert f"version {version}" in refusal(file)


def test_a_file_cut_anywhere_is_truncated(file: Path) -> None:
    content = file.read_bytes()
    last = ROWS * WIDTH // 32 * 34
    padding = -last % 32

    for length in range(len(content) - padding):
        file.write_bytes(content[:length])
        assert "truncated" in refusal(file)


def test_a_damaged_byte_is_an_error_or_another_value_and_never_a_crash(file: Path) -> None:
    content = file.read_bytes()
    refused = 0
    for place in range(len(content) - ROWS * WIDTH * 3):
        for flipped in (0x01, 0x80, 0xFF):
            damaged = bytearray(content)
            damaged[place] ^= flipped
            file.write_bytes(damaged)
            try:
                read_gguf_header(file)
            except CheckpointError:
                refused += 1
    assert refused > 0


def start(tensors: int, values: int) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, values)


def text(content: bytes) -> bytes:
    return struct.pack("<Q", len(content)) + content


ARCHITECTURE = text(b"general.architecture") + struct.pack("<I", 8) + text(b"qwen2")
HUGE = 2**63


@pytest.mark.parametrize(
    ("content", "evidence"),
    [
        (b"", "truncated"),
        (start(0, 0), "no general.architecture"),
        (start(HUGE, 0), "tensors"),
        (start(0, HUGE), "metadata values"),
        (start(0, 1) + struct.pack("<Q", HUGE) + b"key", "truncated"),
        (start(0, 1) + text(b"key") + struct.pack("<I", 99), "key is of the unknown type 99"),
        (start(0, 1) + text(b"key") + struct.pack("<IIQ", 9, 8, HUGE), "strings in key"),
        (start(0, 1) + text(b"key") + struct.pack("<IIQ", 9, 4, HUGE), "truncated"),
        (start(0, 1) + text(b"key") + struct.pack("<IIQ", 9, 9, 1), "unknown type 9"),
        (start(1, 1) + ARCHITECTURE + text(b"t") + struct.pack("<I", 5), "5 dimensions"),
        (
            start(1, 1) + ARCHITECTURE + text(b"t") + struct.pack("<IQIQ", 1, 32, 77, 0),
            "unknown type 77",
        ),
        (
            start(1, 1) + ARCHITECTURE + text(b"t") + struct.pack("<IQIQ", 1, 33, 8, 0),
            "rows of 33, which Q8_0 cannot hold",
        ),
        (
            start(1, 1) + ARCHITECTURE + text(b"t") + struct.pack("<IQIQ", 1, HUGE, 0, HUGE),
            "truncated",
        ),
        (
            start(0, 2) + ARCHITECTURE + text(b"general.alignment") + struct.pack("<II", 4, 0),
            "general.alignment is 0",
        ),
    ],
)
def test_hostile_files(tmp_path: Path, content: bytes, evidence: str) -> None:
    file = tmp_path / "hostile.gguf"
    file.write_bytes(content)

    assert evidence in refusal(file, None)
