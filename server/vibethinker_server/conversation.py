"""The conversation of a chat or of /v1/responses, read into one shape. Pure.

Only texts get through: no images, no audio, no tools, no message that the engine should continue.
What is read here is written anew for the engine, so a key that this module does not know has no way
past it. Control tokens in any text are taken apart on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vibethinker_server.control_tokens import neutralize
from vibethinker_server.openai_errors import refuse

MAX_MESSAGES = 256
MAX_PARTS = 64
SYSTEM_ROLES = ("system", "developer")
TURN_ROLES = ("user", "assistant")
# What clients hand back of an answer they got, where it holds nothing.
_EMPTY_KEYS = frozenset(
    {
        "annotations",
        "audio",
        "function_call",
        "logprobs",
        "phase",
        "reasoning",
        "reasoning_content",
        "refusal",
        "tool_calls",
    }
)


@dataclass(frozen=True, slots=True)
class SystemText:
    """A system or developer message; `param` says where the client wrote it."""

    param: str
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the user or the assistant."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the client said: system texts, which come first, and turns, of which there is one."""

    system: tuple[SystemText, ...]
    turns: tuple[Turn, ...]


def parse_messages(messages: Any) -> Conversation:
    """Returns the conversation in `messages` of /v1/chat/completions.

    Raises:
        OpenAIError: 400 with the place of what is no conversation in texts.
    """
    return _parse(messages, "messages", part_types=("text",), known=("role", "content", "name"))


def parse_input(given: Any, instructions: Any) -> Conversation:
    """Returns the conversation in `input` and `instructions` of /v1/responses.

    Raises:
        OpenAIError: 400 with the place of what is no conversation in texts.
    """
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
    conversation = _parse(
        messages,
        "input",
        part_types=("input_text", "output_text"),
        known=("role", "content", "type", "id", "status"),
    )
    if instructions is None:
        return conversation
    if not isinstance(instructions, str):
        raise refuse("instructions", "must be a text.")
    first = SystemText("instructions", neutralize(instructions))
    return Conversation((first, *conversation.system), conversation.turns)


def _parse(
    messages: Any, param: str, *, part_types: tuple[str, ...], known: tuple[str, ...]
) -> Conversation:
    if not isinstance(messages, list) or not 1 <= len(messages) <= MAX_MESSAGES:
        raise refuse(param, f"must be a list of 1 to {MAX_MESSAGES} messages.")
    system: list[SystemText] = []
    turns: list[Turn] = []
    for index, message in enumerate(messages):
        where = f"{param}[{index}]"
        role = _read_role(message, where, known)
        text = neutralize(_read_content(message, role, where, part_types))
        if role in TURN_ROLES:
            turns.append(Turn(role, text))
        elif turns:
            raise refuse(f"{where}.role", f"{role} messages must come before all others.")
        else:
            system.append(SystemText(f"{where}.content", text))
    if not any(turn.role == "user" for turn in turns):
        raise refuse(param, "must hold a message of the user.")
    return Conversation(tuple(system), tuple(turns))


def _read_role(message: Any, where: str, known: tuple[str, ...]) -> str:
    if not isinstance(message, dict):
        raise refuse(where, "must be an object.")
    _check_keys(message, where, known)
    # /v1/responses names the kind of each item; all but messages are tools and their results.
    if message.get("type", "message") != "message":
        raise refuse(f"{where}.type", "must be message: tools are not offered here.")
    # An answer that is not complete would be continued in place of a new one.
    if message.get("status") not in (None, "completed"):
        raise refuse(f"{where}.status", "must be completed.")
    role = message.get("role")
    if not isinstance(role, str) or role not in SYSTEM_ROLES + TURN_ROLES:
        raise refuse(f"{where}.role", "must be system, developer, user or assistant.")
    return role


def _read_content(
    message: Mapping[str, Any], role: str, where: str, part_types: tuple[str, ...]
) -> str:
    content, param = message.get("content"), f"{where}.content"
    if isinstance(content, str):
        return content
    if content is None and role == "assistant":
        return ""  # an answer that was cut before its first word
    if not isinstance(content, list) or not 1 <= len(content) <= MAX_PARTS:
        raise refuse(param, f"must be a text or a list of 1 to {MAX_PARTS} text parts.")
    return "\n".join(
        _read_part(part, f"{param}[{index}]", part_types) for index, part in enumerate(content)
    )


def _read_part(part: Any, where: str, part_types: tuple[str, ...]) -> str:
    if not isinstance(part, dict):
        raise refuse(where, "must be an object.")
    if part.get("type") not in part_types:
        raise refuse(f"{where}.type", f"must be {' or '.join(part_types)}: only texts are read.")
    _check_keys(part, where, ("type", "text"))
    text = part.get("text")
    if not isinstance(text, str):
        raise refuse(f"{where}.text", "must be a text.")
    return text


def _check_keys(value: Mapping[str, Any], where: str, known: tuple[str, ...]) -> None:
    for key, one in value.items():
        if key not in known and not (key in _EMPTY_KEYS and one in (None, [])):
            raise refuse(f"{where}.{key}", "is not offered here.", "unknown_parameter")
