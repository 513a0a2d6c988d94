"""The vocabulary of a Qwen2 tokenizer as llama.cpp's GPT-2 kind of tokenizer reads it. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from vibethinker_server.checkpoint.checkpoint_error import CheckpointError

# How Qwen2 splits text before it looks for byte pairs: src/llama-vocab.cpp has the same one.
QWEN2_SPLIT: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# What llama.cpp takes for a control token though the tokenizer does not call it special.
LOOKS_SPECIAL: Final = re.compile(r"<\|.*\|>", re.DOTALL)


class TokenType(IntEnum):
    """What llama.cpp does with a token (llama_token_type in llama.h)."""

    NORMAL = 1
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Texts and types of all tokens, by number; `split` is llama.cpp's name of the splitting."""

    tokens: tuple[str, ...]
    types: tuple[TokenType, ...]
    split: str


def read_vocabulary(tokenizer: Mapping[str, Any], size: int) -> Vocabulary:
    """Returns the vocabulary that a tokenizer.json describes.

    Args:
        tokenizer: its content.
        size: the rows of the model's embedding; numbers without a token become unused ones.

    Raises:
        CheckpointError: it is no byte pair encoding that is known here, or has more tokens.
    """
    try:
        model, added = tokenizer["model"], tokenizer.get("added_tokens") or []
        if model.get("type", "BPE") != "BPE":
            raise _refused(f"model.type is {model['type']!r}, and only BPE is known here")
        known = {int(number): (text, TokenType.NORMAL) for text, number in model["vocab"].items()}
        known |= {int(each["id"]): (str(each["content"]), _added_type(each)) for each in added}
    except (KeyError, TypeError, AttributeError) as error:
        raise _refused(f"model.vocab and added_tokens make no vocabulary ({error!r})") from error
    if known and not 0 <= min(known) <= max(known) < size:
        raise _refused(f"has a token of number {max(known)}, and config.json: vocab_size is {size}")
    entries = [known.get(n, (f"[PAD{n}]", TokenType.UNUSED)) for n in range(size)]
    texts, types = zip(*entries, strict=True)
    return Vocabulary(texts, types, name_split(tokenizer.get("pre_tokenizer")))


def name_split(pre_tokenizer: Any) -> str:
    """Returns llama.cpp's name of how a tokenizer splits text before it looks for byte pairs.

    Raises:
        CheckpointError: it is another way, so llama.cpp would count other tokens than vLLM.
    """
    parts = list(_parts(pre_tokenizer))
    kinds = [part.get("type") for part in parts]
    if kinds == ["ByteLevel"] and parts[0].get("use_regex", True):
        return "gpt-2"
    if kinds == ["Split", "ByteLevel"] and not parts[1].get("use_regex", True):
        pattern = parts[0].get("pattern")
        if isinstance(pattern, dict) and pattern.get("Regex") == QWEN2_SPLIT:
            return "qwen2"
    raise _refused(
        "pre_tokenizer splits text neither as Qwen2 nor as GPT-2 does, and llama.cpp must be told"
        " how: give llama.cpp's own convert_hf_to_gguf.py with --converter"
    )


def _parts(pre_tokenizer: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(pre_tokenizer, dict):
        return
    if pre_tokenizer.get("type") == "Sequence":
        for each in pre_tokenizer.get("pretokenizers") or []:
            yield from _parts(each)
    else:
        yield pre_tokenizer


def _added_type(token: Mapping[str, Any]) -> TokenType:
    special = token.get("special") or LOOKS_SPECIAL.fullmatch(token["content"])
    return TokenType.CONTROL if special else TokenType.USER_DEFINED


def _refused(text: str) -> CheckpointError:
    return CheckpointError(f"tokenizer.json: {text}")
