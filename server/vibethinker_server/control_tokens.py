"""Control tokens of chat templates in texts that people wrote. Pure.

vLLM's tokenizer reads `<|im_start|>` inside a message as the token that begins one, so a user could
write a system message into the user's. A message is text and stays text: one space after the first
character and the tokenizer no longer sees a token, while readers, and the model, still see what was
meant. Refusing would turn away everybody who asks about templates, and end every conversation in
which the model itself once spelled such a token.
"""

import re

# Every control token of this model's family (Qwen2.5) has this form.
_TOKEN = re.compile(r"<\|(?=[A-Za-z0-9_]+\|>)")


def neutralize(text: str) -> str:
    """Returns `text` without control tokens: `< |im_start|>` for `<|im_start|>`."""
    return _TOKEN.sub("< |", text) if "<|" in text else text
