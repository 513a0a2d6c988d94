"""A plugin of vLLM's that writes down what its engine is given: a line of JSON each, in ARRIVALS.

vLLM loads it into every process of its own. It sits in the engine's, where a request comes out of
the API server's socket: whatever reads HTTP, expands answers or fills in lengths lies before it.
"""

import importlib
import json
import os
from pathlib import Path
from typing import Any

# What is not a client's to ask for. None of it may be set, whatever was sent.
CLOSED = (
    "allowed_token_ids",
    "bad_words",
    "extra_args",
    "prompt_logprobs",
    "stop_token_ids",
    "structured_outputs",
    "thinking_token_budget",
)


def install() -> None:
    """Wraps the one way by which a request becomes the engine's."""
    engine_request: Any = importlib.import_module("vllm.v1.request").Request
    tokenizers: Any = importlib.import_module("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(os.environ["ARRIVALS_TOKENIZER"])
    accept = engine_request.from_engine_core_request
    arrivals = Path(os.environ["ARRIVALS"])

    def record_and_accept(request: Any, *more: Any) -> Any:
        with arrivals.open("a") as file:
            file.write(json.dumps(describe(request, tokenizer)) + "\n")
        return accept(request, *more)

    engine_request.from_engine_core_request = staticmethod(record_and_accept)


def describe(request: Any, tokenizer: Any) -> dict[str, Any]:
    """Returns one request as the engine is given it; control tokens stay in its text."""
    asked = request.sampling_params
    return {
        "prompt": tokenizer.decode(request.prompt_token_ids, skip_special_tokens=False),
        "max_tokens": asked.max_tokens,
        "min_tokens": asked.min_tokens,
        "answers": asked.n,
        "priority": request.priority,
        "session": request.session_id,
        "sampling": [asked.temperature, asked.top_p, asked.top_k],
        "closed": [name for name in CLOSED if getattr(asked, name, None) not in (None, [], {})],
    }
