"""The beginning of an answer, read from its bytes as they pass: what names a new conversation.

A regular expression and not a JSON parser, since it runs on the way of tokens; it looks at the
first some hundred characters only. The engine writes each text into one JSON string.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from vibethinker_server.routes import Api
from vibethinker_server.session_identity import ANSWER_CHARACTERS

_STRING = rb'"((?:[^"\\]|\\.)*)"'
# The text of each event of a stream. In a log probability the same key holds a list.
_PIECE: Mapping[Api, re.Pattern[bytes]] = {
    Api.CHAT: re.compile(rb'"delta":\{[^{}]*?"content":' + _STRING),
    Api.RESPONSES: re.compile(
        rb'"delta":' + _STRING + rb'[^\n]*"type":"response\.output_text\.delta"'
        rb'|"type":"response\.output_text\.delta"[^\n]*"delta":' + _STRING
    ),
}
# Twice what is needed, in the longest spelling of a character: white space at the start goes.
ENOUGH_BYTES = 2 * 6 * ANSWER_CHARACTERS


class AnswerText:
    """Collects the beginning of one answer."""

    def __init__(self, api: Api, *, streams: bool) -> None:
        self._api = api
        self._piece = _PIECE[api] if streams else None
        self._found = bytearray()
        self._whole = bytearray()
        self.is_enough = False

    def add(self, chunk: bytes) -> None:
        """Takes one chunk of the answer's body."""
        if self._piece is None:
            self._whole += chunk
            return
        for groups in self._piece.finditer(chunk):
            self._found += next(filter(None, groups.groups()), b"")
        self.is_enough = len(self._found) >= ENOUGH_BYTES

    def text(self) -> str:
        """Returns what there is so far; empty where the answer has another shape."""
        try:
            if self._piece is not None:
                return str(from_json(b'"' + bytes(self._found) + b'"'))
            return _whole_text(self._api, from_json(bytes(self._whole)))
        except (ValueError, LookupError, TypeError):
            return ""


def _whole_text(api: Api, answer: Any) -> str:
    if api is Api.CHAT:
        return str(answer["choices"][0]["message"]["content"] or "")
    return "".join(
        str(part["text"])
        for item in answer["output"]
        if item.get("type") == "message"
        for part in item["content"]
    )
