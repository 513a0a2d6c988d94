"""The tests' model as GGUF: written by us, loaded by the real llama-server, beside real vLLM."""

import json
import os
import subprocess
import sys
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
from tests.e2e.engine_process import EngineProcess
from tests.e2e.llama_process import greedy, running_llama_server, tokenize
from tests.support.hostile_requests import SERVED_NAME

CONVERT_TOY = Path(__file__).parent / "convert_toy.py"
ANSWER_TOKENS = 48
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


@pytest.fixture(scope="module")
def answers(directory: Path, files: dict[Outtype, Path]) -> "Answers":
    """What llama-server says with each file, given the beginnings of f16's own answers."""
    found = Answers()
    for outtype, file in files.items():
        with running_llama_server(file, directory / f"{outtype}.log") as client:
            for prompt in PROMPTS:
                tokens = tokenize(client, prompt)
                said = greedy(client, tokens, ANSWER_TOKENS)
                led = found.free.setdefault((Outtype.F16, prompt), said)
                found.prompts[prompt] = tokens
                found.free[outtype, prompt] = said
                found.led[outtype, prompt] = [
                    greedy(client, tokens + led[:length], 1)[0] for length in range(len(led))
                ]
    return found


class Answers:
    """Tokens by format and prompt: `free` follow their own answer, `led` each one f16's so far."""

    def __init__(self) -> None:
        self.prompts: dict[str, list[int]] = {}
        self.free: dict[tuple[Outtype, str], list[int]] = {}
        self.led: dict[tuple[Outtype, str], list[int]] = {}

    def flat(self, outtype: Outtype) -> list[int]:
        return [token for prompt in PROMPTS for token in self.led[outtype, prompt]]


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


def share(one: list[int], other: list[int]) -> float:
    assert len(one) == len(other)
    return sum(map(int.__eq__, one, other)) / len(one)


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
    free = {
        each: share(
            [token for prompt in PROMPTS for token in answers.free[Outtype.F16, prompt]],
            [token for prompt in PROMPTS for token in answers.free[each, prompt]],
        )
        for each in Outtype
    }
    led = {each: share(answers.flat(Outtype.F16), answers.flat(each)) for each in Outtype}
    print(f"\nshare of tokens equal to f16's: answering freely {free}, led {led}")

    assert led[Outtype.F16] == free[Outtype.F16] == 1
    assert led[Outtype.BF16] >= 0.9
    assert led[Outtype.Q8_0] >= 0.9


def test_vllm_answers_as_llama_server_does(answers: Answers, vllm: EngineProcess):
    found = []
    for prompt in PROMPTS:
        tokens, answer = answers.prompts[prompt], answers.free[Outtype.F16, prompt]
        body = {"model": SERVED_NAME, "prompt": tokens + answer, "max_tokens": 1}
        asked = {**body, "temperature": 0, "prompt_logprobs": 1}
        reply = vllm.client.post(vllm.url("/v1/completions"), json=asked)
        (choice,) = reply.raise_for_status().json()["choices"]
        found += [likeliest(each) for each in choice["prompt_logprobs"][len(tokens) :]]
    shares = {each: share(found, answers.flat(each)) for each in Outtype}
    print(f"\nshare of tokens equal to vLLM's: {shares}")

    assert min(shares.values()) >= 0.9


def likeliest(candidates: dict[str, dict[str, Any]]) -> int:
    (first,) = [int(token) for token, each in candidates.items() if each["rank"] == 1]
    return first


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


@pytest.mark.parametrize("outtype", list(Outtype))
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
