"""What does VibeThinker-1.5B weigh in each format?

    python -m tests.bench.weights   writes build/bench/weights.json

Computed from the shapes of its tensors, so no weights are needed.
"""

import json
import sys
from pathlib import Path

from tests.bench.weights.figures import weigh
from tests.cluster.progress import say

OUT = Path("build/bench/weights.json")


def main() -> int:
    """Writes the figures and returns 0."""
    weights = weigh()
    result = {
        name: {"bytes": size, "of_float16": round(size / weights["float16"], 3)}
        for name, size in weights.items()
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, figures in result.items():
        say(f"{name}: {json.dumps(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
