"""Checks of one value of a request's body: its type and its bounds. Pure.

A check takes the key's name and the value, and returns the value as the engine gets it, or raises
the 400 that names the key. JSON's null never gets here: it means "not given".
"""

from collections.abc import Callable, Mapping
from typing import Any

from vibethinker_server.openai_errors import refuse

Check = Callable[[str, Any], Any]

MAX_STOPS = 16
MAX_STOP_CHARACTERS = 256
MAX_BIASES = 300
MAX_METADATA = 16


def whole(least: int, most: int | None = None) -> Check:
    """Returns the check of a whole number from `least` to `most`; no truth value is one."""

    def check(param: str, value: Any) -> int:
        if type(value) is not int or value < least or (most is not None and value > most):
            bound = f"at least {least}" if most is None else f"from {least} to {most}"
            raise refuse(param, f"must be a whole number, {bound}.")
        return value

    return check


def number(least: float, most: float) -> Check:
    """Returns the check of a number from `least` to `most`."""

    def check(param: str, value: Any) -> float:
        if type(value) not in (int, float) or not least <= value <= most:
            raise refuse(param, f"must be a number from {least:g} to {most:g}.")
        return value  # type: ignore[no-any-return]

    return check


def text(most: int, least: int = 0) -> Check:
    """Returns the check of a text of `least` to `most` characters."""

    def check(param: str, value: Any) -> str:
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise refuse(param, f"must be a text of {least} to {most} characters.")
        return value

    return check


def flag(param: str, value: Any) -> bool:
    """Returns a truth value."""
    if not isinstance(value, bool):
        raise refuse(param, "must be true or false.")
    return value


def stops(param: str, value: Any) -> Any:
    """Returns texts that end an answer: one, or a list of at most MAX_STOPS."""
    check = text(MAX_STOP_CHARACTERS)
    if isinstance(value, str):
        return check(param, value)
    if not isinstance(value, list) or len(value) > MAX_STOPS:
        raise refuse(param, f"must be a text or a list of at most {MAX_STOPS} texts.")
    return [check(f"{param}[{index}]", one) for index, one in enumerate(value)]


def biases(param: str, value: Any) -> dict[str, float]:
    """Returns a bias from -100 to 100 for each of at most MAX_BIASES token numbers."""
    if not isinstance(value, dict) or len(value) > MAX_BIASES:
        raise refuse(param, f"must be an object of at most {MAX_BIASES} token numbers.")
    check = number(-100, 100)
    for token in value:
        if not (token.isascii() and token.isdigit() and len(token) <= 9):  # noqa: PLR2004
            raise refuse(param, "its keys must be token numbers.")
    return {token: check(f"{param}.{token}", bias) for token, bias in value.items()}


def metadata(param: str, value: Any) -> dict[str, str]:
    """Returns OpenAI's metadata: at most 16 texts of 512 characters under names of 64."""
    if not isinstance(value, dict) or len(value) > MAX_METADATA:
        raise refuse(param, f"must be an object of at most {MAX_METADATA} texts.")
    check = text(512)
    for name in value:
        text(64)(param, name)
    return {name: check(f"{param}.{name}", one) for name, one in value.items()}


def members(known: Mapping[str, Check]) -> Check:
    """Returns the check of an object that has no members but the `known` ones."""

    def check(param: str, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise refuse(param, "must be an object.")
        for name in value:
            if name not in known:
                raise refuse(f"{param}.{name}", "is not offered here.", "unknown_parameter")
        given = {name: one for name, one in value.items() if one is not None}
        return {name: known[name](f"{param}.{name}", one) for name, one in given.items()}

    return check
