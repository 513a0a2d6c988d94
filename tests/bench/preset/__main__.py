"""What does a warm preset save of the time to the first token, by isolation?

    python -m tests.bench.preset   real vLLM on CPU; writes build/bench/preset.json

One server, three profiles with the same role prompt, a new session for each request, in turn. Under
None and Key the preset's prefix is warm; under Session each session computes it.
"""

import collections
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from vibethinker_operator.manifests.samples import ROLE_PROMPT

from tests.bench.preset.figures import COLD, compare
from tests.cluster.progress import say, step
from tests.e2e.engine_process import EngineProcess
from tests.e2e.real_engine import SMALL_POLICY, running_vllm, start_phases

OUT = Path("build/bench/preset.json")
ROUNDS = 40
ISOLATIONS = ("None", "Key", COLD)
# A token each: a short problem, as a competitive programmer would paste it.
QUESTION = 500


def main() -> int:
    """Measures all isolations in turn; exit status 0 once there are figures."""
    with (
        tempfile.TemporaryDirectory(prefix="vibethinker-bench-") as temporary,
        step("start, and ask in turn"),
        running_vllm(Path(temporary)) as engine,
    ):
        start_phases(engine)
        engine.sweep(SMALL_POLICY | {"profiles": list(map(profile, ISOLATIONS))})
        seconds = measure(engine)
    result = compare(seconds)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, figures in result.items():
        say(f"isolation {name}: {json.dumps(figures)}")
    return 0


def profile(isolation: str) -> dict[str, Any]:
    """Returns a profile of its own for one isolation."""
    name = isolation.lower()
    return {"name": name, "kind": "App", "systemPrompt": ROLE_PROMPT, "isolation": isolation}


def measure(engine: EngineProcess) -> dict[str, list[float]]:
    """Returns the times to the first token; the first round, in which all is cold, is left out."""
    seconds: dict[str, list[float]] = {isolation: [] for isolation in ISOLATIONS}
    for number in range(ROUNDS + 1):
        for isolation in ISOLATIONS:
            took = first_token(engine, isolation.lower(), f"{number:06d}{isolation}")
            if number > 0:
                seconds[isolation].append(took)
    return seconds


def first_token(engine: EngineProcess, name: str, question: str) -> float:
    """Returns the seconds from asking a new question to the first chunk of its answer."""
    body = {
        "messages": [{"role": "user", "content": question.ljust(QUESTION, "?")}],
        "max_tokens": 2,
        "stream": True,
    }
    began = time.monotonic()
    with engine.client.stream(
        "POST", engine.url("/v1/chat/completions"), json=body, headers={"X-Profile": name}
    ) as answer:
        answer.raise_for_status()
        # The first event names the role; it comes with the first token.
        chunks = answer.iter_bytes()
        next(chunks)
        took = time.monotonic() - began
        collections.deque(chunks, maxlen=0)  # the rest, so that it does not run beside the next
    return took


if __name__ == "__main__":
    sys.exit(main())
