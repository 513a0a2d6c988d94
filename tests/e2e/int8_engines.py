"""INT8 checkpoints of the toy model, the engines that serve them, and what these answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.images import engine_site
from tests.cluster.images.python_site import site
from tests.e2e import real_engine
from tests.e2e.engine_process import EngineProcess, package_site
from tests.e2e.start_process import Person, make_person
from tests.support.hostile_requests import SERVED_NAME

REQUIREMENTS = Path(__file__).parent / "bitsandbytes.txt"
METHODS = ("w8a8", "bitsandbytes")
WEIGHTS = 'vibethinker_memory_bytes{kind="weights"}'
PROMPTS = (
    "Let x be a real number such that",
    "Write a function that returns",
    "The answer is therefore",
    "First we factor the polynomial, then",
    "def solve(numbers: list[int]) -> int:",
    "You are a careful assistant who",
    "Find all values of x and explain why.",
    "the longest increasing subsequence",
)
ANSWER_TOKENS = 32
# Letters between two contexts whose next tokens are compared.
STEP_LETTERS = 12


def bitsandbytes_site() -> Path:
    """Returns the directory of bitsandbytes and vLLM's plugin for it, installed on first use."""
    return site("bitsandbytes", REQUIREMENTS, gigabytes=0.2)


def make_engineer(directory: Path, *more: Path) -> Person:
    """Returns somebody whose Python has our package and the engine's, as a pod's has."""
    (directory / "site").mkdir()
    return make_person(directory, [package_site(directory / "site"), *more, engine_site()])


@contextmanager
def serving(directory: Path, model: Path, **changes: Any) -> Iterator[EngineProcess]:
    """Serves the checkpoint in `model` with real vLLM, with bitsandbytes on its path."""
    (directory / "site").mkdir(parents=True)
    with real_engine.start_limited_engine(
        directory,
        pythonpath=[package_site(directory / "site"), bitsandbytes_site(), engine_site()],
        settings={**real_engine.settings(), "model": str(model), **changes},
        environment={"VIBETHINKER_CPUS": "2"},
        policy=real_engine.SMALL_POLICY,
    ) as engine:
        real_engine.start_phases(engine)
        yield engine


def tokens_after(engine: EngineProcess, text: str, count: int) -> list[str]:
    """Returns the likeliest `count` tokens that follow the text."""
    body = {"prompt": text, "max_tokens": count, "temperature": 0, "logprobs": 0}
    body |= {"model": SERVED_NAME, "ignore_eos": True}
    answer = engine.client.post(engine.url("/v1/completions"), json=body)
    assert answer.status_code == 200, answer.text
    tokens: list[str] = answer.json()["choices"][0]["logprobs"]["tokens"]
    return tokens


@dataclass(frozen=True)
class Agreement:
    """How two engines' greedy tokens agree.

    Attributes:
        next_tokens: share of equal next tokens after the same texts.
        answers: share of equal tokens, place by place, of whole answers: after the first other
            token these are answers to other texts.
    """

    next_tokens: float
    answers: float


@dataclass(frozen=True)
class Answers:
    """Greedy tokens of one engine."""

    whole: list[list[str]]
    after: list[str]

    def agreement(self, other: "Answers") -> Agreement:
        """Returns how those of another engine agree with these."""
        mine = [token for answer in self.whole for token in answer]
        theirs = [token for answer in other.whole for token in answer]
        return Agreement(_share(self.after, other.after), _share(mine, theirs))


def contexts(whole: list[list[str]]) -> list[str]:
    """Returns texts to go on from: the prompts and ever more of their answers."""
    texts = [prompt + "".join(answer) for prompt, answer in zip(PROMPTS, whole, strict=True)]
    return [
        text[:end]
        for text, prompt in zip(texts, PROMPTS, strict=True)
        for end in range(len(prompt), len(text), STEP_LETTERS)
    ]


def ask(engine: EngineProcess, reference: Answers | None = None) -> Answers:
    """Returns the engine's answers; next tokens after the texts of `reference`, None: its own."""
    whole = [tokens_after(engine, prompt, ANSWER_TOKENS) for prompt in PROMPTS]
    texts = contexts(whole if reference is None else reference.whole)
    return Answers(whole, [tokens_after(engine, text, 1)[0] for text in texts])


def _share(mine: list[str], theirs: list[str]) -> float:
    assert len(mine) == len(theirs) > 0
    return sum(one == other for one, other in zip(mine, theirs, strict=True)) / len(mine)
