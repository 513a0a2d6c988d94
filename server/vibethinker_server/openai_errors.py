"""Errors in the shape that OpenAI's clients read."""

import json

INVALID_REQUEST = "invalid_request_error"
SERVER_ERROR = "server_error"
RATE_LIMITED = "rate_limit_error"
LONGEST_SHOWN = 96


class OpenAIError(Exception):
    """One answer that is an error: status, what is wrong and what to do, and a stable code."""

    def __init__(self, status: int, message: str, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param


def refuse(param: str, wrong: str, code: str = "invalid_value") -> OpenAIError:
    """Returns the 400 that names the key `param` and says what is `wrong` with it.

    Both may hold what the client sent; no more of it goes back than a line.
    """
    shown = param if len(param) <= LONGEST_SHOWN else param[:LONGEST_SHOWN] + "…"
    return OpenAIError(400, f"{shown}: {wrong}", code, shown)


def render_error(error: OpenAIError) -> bytes:
    """Returns the JSON body of `error`."""
    body = {
        "message": error.message,
        "type": _type_of(error.status),
        "param": error.param,
        "code": error.code,
    }
    return json.dumps({"error": body}).encode()


def _type_of(status: int) -> str:
    if status == 429:  # noqa: PLR2004 (HTTP's own number)
        return RATE_LIMITED
    return INVALID_REQUEST if status < 500 else SERVER_ERROR  # noqa: PLR2004 (HTTP's own number)
