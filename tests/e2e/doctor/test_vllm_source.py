"""The texts that the doctor knows are those of the vLLM installed, and old flags are gone."""

import re
from functools import cache
from pathlib import Path

import pytest
from vibethinker_doctor import gone
from vibethinker_doctor.last_words import CONSEQUENCES, WORDS

from tests.cluster.images import engine_site
from tests.unit.doctor.texts import ENDS, End

VLLM = [end for end in ENDS if end.spelled]
# Written by argparse, torch, Python or the system, or (the second kind) only by vLLM 0.33.
OTHERS = {
    "FlagGone",
    "FlagUnknown",
    "FlagTakesNoValue",
    "CudaOutOfMemory",
    "DriverTooOld",
    "SharedMemoryFull",
    "DiskFull",
    "PortTaken",
    "CompilerMissing",
    "PythonHeadersMissing",
    "PracticeGone",
}
CONSEQUENCE_PIECES = (
    "Engine core initialization failed. ",
    "See root cause above. ",
    "EngineCore failed to start.",
    "EngineCore encountered a fatal error.",
    "EngineCore encountered an issue. See stack trace (above)",
)
FLAG = re.compile(r'"(--[a-z0-9][a-z0-9-]*)"')


@cache
def source() -> str:
    """Returns all of vLLM's Python in one text."""
    root = engine_site() / "vllm"
    return "\n".join(file.read_text(errors="replace") for file in sorted(root.rglob("*.py")))


@pytest.mark.parametrize("end", VLLM, ids=lambda end: f"{end.code}-{end.text[:30]}")
def test_each_text_of_vllms_own_is_spelled_so(end: End):
    for piece in end.spelled:
        assert piece in source(), piece


def test_no_text_is_left_out():
    codes = {word.code for word in WORDS}
    held = {end.code for end in VLLM}
    # One sequence that does not fit is held by its other code.
    assert codes - held - OTHERS == {"KvCacheTooSmall"}


@pytest.mark.parametrize("piece", CONSEQUENCE_PIECES)
def test_what_follows_a_cause_is_spelled_so(piece: str):
    assert piece in source()
    assert any(piece.strip() in text for text in CONSEQUENCES)


def test_no_flag_that_is_called_gone_is_taken():
    files = ("engine/arg_utils.py", "entrypoints/launchers/cli_args.py")
    texts = [(engine_site() / "vllm" / file).read_text() for file in files]
    taken = {flag for text in texts for flag in FLAG.findall(text)}
    assert "--max-num-seqs" in taken
    assert not taken & set(gone.FLAGS)


def test_no_variable_that_is_called_gone_is_read():
    text = (engine_site() / "vllm" / "envs.py").read_text()
    assert '"VLLM_LOGGING_LEVEL"' in text
    for name in gone.VARIABLES:
        assert f'"{name}"' not in text


def test_torch_spells_its_own_so():
    library = Path(engine_site() / "torch" / "lib" / "libc10_cuda.so").read_bytes()
    assert b"The NVIDIA driver on your system is too old" in library
