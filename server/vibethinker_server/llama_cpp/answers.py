"""llama-server's answers: what of them is counted, and where OpenAI's shape is another. Pure."""

import re
from typing import Any, Final

from pydantic_core import from_json, to_json

from vibethinker_server.openai_errors import OpenAIError, render_error

# A stream's last event with all its figures; a text of the model's stands before it.
TAIL_BYTES: Final = 4096
# Quotes inside an answer's text carry a backslash, so a model cannot write these.
_PROMPT: Final = re.compile(rb'"(?:prompt|input)_tokens":(\d+)')
_ANSWER: Final = re.compile(rb'"(?:completion|output)_tokens":(\d+)')
_COMPUTED: Final = re.compile(rb'"timings":\{"cache_n":(\d+),"prompt_n":(\d+)')
_PREDICTED: Final = re.compile(rb'"predicted_n":(\d+)')
MODEL_LOADS: Final = 503
BROKEN: Final = 500
NOT_OFFERED: Final = 501


def read_tokens(tail: bytes) -> tuple[int, int] | None:
    """Returns tokens of prompt and answer from the end of an answer, None: it does not tell.

    Streams tell by their timings, others by their usage.
    """
    prompt, answer = _PROMPT.search(tail), _ANSWER.search(tail)
    if prompt and answer:
        return int(prompt[1]), int(answer[1])
    computed, predicted = _COMPUTED.search(tail), _PREDICTED.search(tail)
    if computed and predicted:
        return int(computed[1]) + int(computed[2]), int(predicted[1])
    return None


def complete_response(body: bytes, limit: int) -> bytes:
    """Returns a whole answer of /v1/responses that says so where it was cut.

    llama-server calls every one completed.

    Args:
        body: its JSON.
        limit: tokens at which it was cut.
    """
    answer = from_json(body)
    if answer["usage"]["output_tokens"] >= limit:
        answer["status"] = "incomplete"
        answer["incomplete_details"] = {"reason": "max_output_tokens"}
    return to_json(answer)


def translate_error(status: int, body: bytes) -> tuple[int, bytes]:
    """Returns status and body of an error in OpenAI's shape.

    Args:
        status: llama-server's.
        body: its JSON, or whatever it wrote.
    """
    error = _read_error(body)
    message = str(error.get("message") or "llama-server failed this request.")
    if status == NOT_OFFERED:
        status = 400
    code = str(error.get("type") or "engine_error")
    return status, render_error(OpenAIError(status, message, code))


def _read_error(body: bytes) -> dict[str, Any]:
    try:
        error = from_json(body)["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
