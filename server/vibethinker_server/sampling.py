"""How an engine picks each token where a request does not say. Pure.

The first of client, profile and model that sets any of the keys decides all of them: half of one
choice and half of another is nobody's. What that choice leaves open, and everything where nobody
chose, is the engine's own default: vLLM takes it from the checkpoint's generation_config.json. A
key that we write stands in the request, and so wins over that file; the file is neither read nor
changed here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

CHOICES: Final = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
)
"""Keys of a body by which a client chooses; a seed or a stop text leaves the choice open."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """One choice; what is None is left to the engine.

    Attributes:
        temperature: 0 always takes the likeliest token.
        top_p: takes from the likeliest tokens that have this share of the probability.
        top_k: takes from so many of the likeliest; -1: from all.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None

    def keys(self) -> dict[str, Any]:
        """Returns the keys of a body that say so."""
        given = {"temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}
        return {key: value for key, value in given.items() if value is not None}


NO_CHOICE: Final = Sampling()


def settle_sampling(request: Mapping[str, Any], *offers: Sampling) -> dict[str, Any]:
    """Returns the keys to add to a `request`: the first offer's that is one, or none.

    Args:
        request: the body's keys; one of CHOICES among them, and nothing is added.
        offers: what would hold instead, the strongest first.
    """
    if any(key in request for key in CHOICES):
        return {}
    return next((keys for offer in offers if (keys := offer.keys())), {})
