"""The tests' model as GGUF: written by us, loaded by the real llama-server, beside real vLLM."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from vibethinker_server.checkpoint.gguf_header import read_gguf_header
from vibethinker_server.checkpoint.gguf_plan import Outtype

from tests.cluster.images import engine_site, llama_server
from tests.cluster.images.python_site import find_python
from tests.cluster.model import toy_model
from tests.e2e.llama_process import complete, likeliest, running_llama_server, tokenize

CONVERT_TOY = Path(__file__).parent / "convert_toy.py"
VLLM_CANDIDATES = Path(__file__).parent / "vllm_candidates.py"
VLLM = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
}
ANSWER_TOKENS = 32
CANDIDATES = 10
PROMPTS = (
    "Let x be a real number such that",
    "First we factor the polynomial",
    "def solve(numbers: list[int]) -> int:\n",
    "The answer is therefore 12345",
    "<|im_start|>user\nthe sum of two numbers<|im_end|>\n<|im_start|>assistant\n",
    "You are a careful assistant, 你好, ¿qué?",
)
# What llama.cpp's converter guesses from the directory's name.
ONLY_THEIRS = {"general.basename", "general.finetune"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gguf")


@pytest.fixture(scope="module")
def files(directory: Path) -> dict[Outtype, Path]:
    """One file a format, written by the command as a person types it."""
    return {each: export(directory / f"{each}.gguf", each) for each in Outtype}


# The likeliest tokens at one place, with the logarithms of their probabilities.
Candidates = dict[int, float]


@dataclass
class Answers:
    """Numbers of tokens, by prompt.

    Attributes:
        prompts: the prompt's own.
        drawn: an answer drawn at temperature 1 from the f16 file, which makes various contexts.
        next: what is likeliest at each place of the drawn answer, by format.
    """

    prompts: dict[str, list[int]] = field(default_factory=dict)
    drawn: dict[str, list[int]] = field(default_factory=dict)
    next: dict[Outtype, list[Candidates]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def answers(directory: Path, files: dict[Outtype, Path]) -> Answers:
    """What llama-server says with each file."""
    found = Answers()
    for outtype in (Outtype.F16, Outtype.BF16, Outtype.Q8_0):
        with running_llama_server(files[outtype], directory / f"{outtype}.log") as client:
            if outtype is Outtype.F16:
                found.prompts = {prompt: tokenize(client, prompt) for prompt in PROMPTS}
                found.drawn = {
                    prompt: complete(client, tokens, ANSWER_TOKENS, temperature=1)
                    for prompt, tokens in found.prompts.items()
                }
            found.next[outtype] = [
                likeliest(client, found.prompts[prompt] + drawn[:length], CANDIDATES)
                for prompt, drawn in found.drawn.items()
                for length in range(len(drawn))
            ]
    return found


def export(out: Path, outtype: Outtype, *options: str, **environment: str) -> Path:
    said = ["--model", str(toy_model()), "--out", str(out), "--outtype", outtype, *options]
    done = subprocess.run(
        [sys.executable, "-m", "vibethinker_server", "export-gguf", *said],
        env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "written and read back" in done.stdout
    return out


@dataclass(frozen=True)
class Agreement:
    """How two engines' candidates agree, place by place.

    Attributes:
        first: share of places whose likeliest token is the same.
        all: share of CANDIDATES that are the same.
        off: the mean distance of the logarithms of the probabilities of those.
    """

    first: float
    all: float
    off: float


def compare(some: list[Candidates], others: list[Candidates]) -> Agreement:
    pairs = list(zip(some, others, strict=True))
    off = [abs(one[key] - two[key]) for one, two in pairs for key in one.keys() & two.keys()]
    return Agreement(
        first=sum(next(iter(one)) == next(iter(two)) for one, two in pairs) / len(pairs),
        all=len(off) / (CANDIDATES * len(pairs)),
        off=sum(off) / len(off),
    )


def check(found: Agreement, outtype: Outtype) -> None:
    """Sees that two engines compute the same model, as exactly as the format lets them.

    Measured beside vLLM: 0.0004 off with f16, 0.0015 with bf16, 0.011 with q8_0.
    """
    least, off = {"f16": (0.98, 0.005), "bf16": (0.97, 0.01), "q8_0": (0.93, 0.03)}[outtype]
    assert found.first >= least
    assert found.all >= least
    assert found.off <= off


def test_each_format_has_its_size(files: dict[Outtype, Path]):
    sizes = {each: read_gguf_header(file).weights_bytes for each, file in files.items()}
    sizes_on_disk = {each: file.stat().st_size for each, file in files.items()}
    print(f"\nbytes of weights {sizes}, of files {sizes_on_disk}")

    assert sizes[Outtype.F16] == sizes[Outtype.BF16]
    # Matrices take 34 bytes for 32 elements instead of 64; norms and biases stay.
    assert 0.53 < sizes[Outtype.Q8_0] / sizes[Outtype.F16] < 0.55
    for outtype, size in sizes.items():
        assert size < sizes_on_disk[outtype] < size + 100_000


def test_llama_server_answers_with_each_as_with_f16(answers: Answers):
    found = {each: compare(answers.next[Outtype.F16], answers.next[each]) for each in Outtype}
    print(f"\nbeside f16: {found}")

    assert found[Outtype.F16] == Agreement(1, 1, 0)
    for outtype in Outtype:
        check(found[outtype], outtype)


@pytest.mark.thorough
def test_vllm_answers_as_llama_server_does(answers: Answers):
    asked = [[tokens, answers.drawn[prompt]] for prompt, tokens in answers.prompts.items()]
    done = subprocess.run(
        [find_python(), "-P", VLLM_CANDIDATES, toy_model(), "float32"],
        env={**os.environ, **VLLM, "PYTHONPATH": str(engine_site())},
        input=json.dumps({"count": CANDIDATES, "asked": asked}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    (report,) = [line for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    said: list[Candidates] = [
        {int(token): off for token, off in each.items()}
        for each in json.loads(report.removeprefix("REPORT "))
    ]
    found = {each: compare(said, answers.next[each]) for each in Outtype}
    print(f"\nbeside vLLM: {found}")

    for outtype in Outtype:
        check(found[outtype], outtype)


def test_llama_server_splits_text_as_the_tokenizer_does(answers: Answers):
    script = (
        "import json, sys, tokenizers; t = tokenizers.Tokenizer.from_file(sys.argv[1]);"
        " print(json.dumps([t.encode(text).ids for text in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [find_python(), "-c", script, toy_model() / "tokenizer.json"],
        env={**os.environ, "PYTHONPATH": str(engine_site())},
        input=json.dumps(PROMPTS),
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout) == [answers.prompts[prompt] for prompt in PROMPTS]


def test_llama_server_chats_by_the_models_own_template(directory: Path, files: dict[Outtype, Path]):
    with running_llama_server(files[Outtype.Q8_0], directory / "chat.log") as client:
        messages = [{"role": "user", "content": "the sum of two numbers"}]
        asked = {"messages": messages, "max_tokens": 8, "temperature": 0}
        templated = client.post("/apply-template", json={"messages": messages}).json()["prompt"]
        reply = client.post("/v1/chat/completions", json=asked).raise_for_status().json()

    assert templated == PROMPTS[4]
    assert reply["usage"]["completion_tokens"] == 8


@pytest.mark.parametrize(
    "outtype",
    [Outtype.F16, pytest.param(Outtype.BF16, marks=pytest.mark.thorough), Outtype.Q8_0],
)
def test_llama_cpps_own_converter_writes_the_same(
    directory: Path, files: dict[Outtype, Path], outtype: Outtype
):
    theirs = export(
        directory / f"theirs-{outtype}.gguf",
        outtype,
        *("--converter", str(CONVERT_TOY)),
        PYTHONPATH=str(engine_site()),
        LLAMA_CPP=str(llama_server()),
    )

    ours, others = gguf.GGUFReader(files[outtype]), gguf.GGUFReader(theirs)
    said, others_said = values_in(ours), values_in(others)
    assert {key: others_said.get(key) for key in said} == said
    assert others_said.keys() - said.keys() <= ONLY_THEIRS
    tensors, other_tensors = tensors_in(ours), tensors_in(others)
    assert tensors.keys() == other_tensors.keys()
    for name, (kind, shape, data) in tensors.items():
        other_kind, other_shape, other_data = other_tensors[name]
        assert (kind, shape) == (other_kind, other_shape)
        assert np.array_equal(data, other_data), name


def values_in(file: gguf.GGUFReader) -> dict[str, Any]:
    """Returns all that a file says of its model, its own layout left out."""
    return {
        key: field.contents() for key, field in file.fields.items() if not key.startswith("GGUF.")
    }


def tensors_in(file: gguf.GGUFReader) -> dict[str, tuple[str, list[int], np.ndarray]]:
    return {
        each.name: (each.tensor_type.name, each.shape.tolist(), each.data) for each in file.tensors
    }
