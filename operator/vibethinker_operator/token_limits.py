"""The cap of every task once presets are settled. Pure."""

from collections.abc import Mapping
from typing import Final

from vibethinker_operator.api import Spec, TokenPreset

PRESETS: Final[Mapping[TokenPreset, Mapping[str, int]]] = {
    TokenPreset.ARTICLE: {"math": 512, "code": 768, "qa": 256},
    TokenPreset.REASONING: {"math": 16_384, "code": 16_384, "qa": 2048},
}
"""Caps in tokens. Of the answers of a public reasoning trace two thirds are longer than 512."""


def resolve_token_limits(spec: Spec) -> dict[str, int]:
    """Returns the cap in tokens of every task of the fleet.

    A preset's cap leaves the prompt at least a quarter of the model's length, so that one line,
    `preset: Reasoning`, is right at every length; a cap that is written out holds as written.
    """
    limits = spec.token_limits
    most = spec.engine.max_model_len * 3 // 4
    preset = {task: min(tokens, most) for task, tokens in PRESETS[limits.preset].items()}
    written = {"math": limits.math, "code": limits.code, "qa": limits.qa}
    return {
        **preset,
        **{task: tokens for task, tokens in written.items() if tokens is not None},
        **{other.name: other.tokens for other in limits.others},
    }
