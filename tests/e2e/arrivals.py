"""What reached a real engine, read from what the recorders write.

That of vLLM sits inside its engine. That of llama-server sits where our proxy sends: what makes a
prompt of the messages is llama-server, and it is asked for it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.engine_process import EngineProcess

RECORDER = Path(__file__).parent / "recorder"
FILE = "arrivals.jsonl"
# What our proxy may ask of llama-server.
KNOWN_KEYS = frozenset(
    {
        "cache_prompt",
        "frequency_penalty",
        "ignore_eos",
        "input",
        "logit_bias",
        "logprobs",
        "max_output_tokens",
        "max_tokens",
        "messages",
        "min_p",
        "model",
        "n",
        "presence_penalty",
        "prompt",
        "repeat_last_n",
        "repeat_penalty",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "top_k",
        "top_logprobs",
        "top_p",
    }
)


@dataclass(frozen=True)
class Arrival:
    """One sequence to generate, as the engine was given it.

    Attributes:
        prompt: its tokens as text, control tokens among them.
        max_tokens: the most that it may generate.
        min_tokens: before these it may not end.
        answers: 1, as vLLM takes a request for several answers apart before its engine.
        priority: vLLM's, lower goes first.
        session: vLLM's own idea of a session, by which it may choose an engine.
        sampling: temperature, top_p and top_k; of llama-server those that it was sent.
        closed: what was asked for and is not a client's to ask for.
    """

    prompt: str
    max_tokens: int
    min_tokens: int
    answers: int
    priority: int
    session: str | None
    sampling: list[float]
    closed: list[str]


def recorder_site(directory: Path) -> Path:
    """Returns `directory` with the plugin's entry point, as an installed package has it."""
    info = directory / "arrival_recorder-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: arrival_recorder\nVersion: 1\n")
    entry = "[vllm.general_plugins]\narrivals = arrival_recorder:install\n"
    (info / "entry_points.txt").write_text(entry)
    (directory / "arrival_recorder.py").symlink_to(RECORDER / "arrival_recorder.py")
    return directory


def recorder_environment(directory: Path, model: Path) -> dict[str, str]:
    """Returns what the plugin needs: where to write, and how to read tokens."""
    tokenizer = model / "tokenizer.json"
    return {"ARRIVALS": str(directory / FILE), "ARRIVALS_TOKENIZER": str(tokenizer)}


def read_arrivals(engine: EngineProcess) -> list[Arrival]:
    """Returns every sequence that came to the engine since its start, in order."""
    lines = map(json.loads, (engine.log.parent / FILE).read_text().splitlines())
    if not engine.behind:
        return [Arrival(**line) for line in lines]
    return [arrival for line in lines for arrival in _llama_arrivals(engine, line["body"])]


def _llama_arrivals(engine: EngineProcess, body: dict[str, Any]) -> Iterator[Arrival]:
    for prompt in _llama_prompts(engine, body) * int(body.get("n", 1)):
        yield Arrival(
            prompt=prompt,
            max_tokens=int(body.get("max_tokens") or body["max_output_tokens"]),
            min_tokens=0,
            answers=1,
            priority=0,  # llama-server has none: the proxy seats by it
            session=body.get("id_slot"),
            sampling=[body[key] for key in ("temperature", "top_p", "top_k") if key in body],
            closed=sorted(set(body) - KNOWN_KEYS),
        )


def _llama_prompts(engine: EngineProcess, body: dict[str, Any]) -> list[str]:
    prompt = body.get("prompt")
    if prompt is not None:
        return prompt if isinstance(prompt, list) else [prompt]
    turns = [
        {"role": turn["role"], "content": turn["content"]}
        for turn in body.get("messages") or body["input"]
    ]
    url = f"http://{engine.behind}/apply-template"
    answer = engine.client.post(url, json={"messages": turns}).raise_for_status()
    return [str(answer.json()["prompt"])]
