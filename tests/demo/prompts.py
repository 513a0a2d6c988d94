"""What the demo's users say: long documents that share no prefix, and questions about them."""

import random

WORDS = (
    "replica",
    "memory",
    "queue",
    "session",
    "token",
    "prompt",
    "answer",
    "model",
    "pool",
    "block",
    "prefix",
    "engine",
    "service",
    "drain",
    "lease",
    "sample",
    "window",
    "signal",
    "line",
    "limit",
    "ratio",
    "decision",
    "reason",
    "cluster",
    "deployment",
)

QUESTIONS = (
    "Which sentence matters most?",
    "Now say it in one line.",
    "What would change your mind?",
    "Give one example of that.",
    "Which part is uncertain?",
    "Name the opposite case.",
)

# An answer goes back into the conversation in part: random weights write bytes that are no text,
# which would grow threefold on the way back.
QUOTED_CHARACTERS = 80


def build_document(seed: int, characters: int) -> str:
    """A text of exactly that many characters; two seeds differ from the first word on."""
    chooser = random.Random(seed)  # noqa: S311  (repeatable text, not a secret)
    text = f"Document {seed:06d}."
    while len(text) < characters:
        sentence = " ".join(chooser.choices(WORDS, k=9))
        text += f" {sentence.capitalize()}."
    return text[:characters]


def build_question(turn: int) -> str:
    """The user's question of a turn, counted from 1."""
    return QUESTIONS[(turn - 1) % len(QUESTIONS)]


def quote_answer(answer: str) -> str:
    """The part of an answer that stays in the conversation: plain text only, never empty."""
    plain = "".join(letter for letter in answer if letter.isascii() and letter.isprintable())
    return plain[:QUOTED_CHARACTERS].strip() or "(no text)"
