"""What reached real vLLM's engine, read from what the plugin in `recorder/` writes."""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.engine_process import EngineProcess

RECORDER = Path(__file__).parent / "recorder"
FILE = "arrivals.jsonl"


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
        sampling: temperature, top_p and top_k.
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
    lines = (engine.log.parent / FILE).read_text().splitlines()
    return [Arrival(**json.loads(line)) for line in lines]
