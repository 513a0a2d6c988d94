"""How long one step of vLLM takes, by what it computes. Pure.

    seconds = max(t0, 0.3 t0 + c_p * (prompt tokens + sequences))
              + c_kv * KV tokens + c_s * sequences + c_a * pairs of tokens

One term a resource: reading the weights (t0) or computing with them (c_p), whichever takes longer;
reading the KV cache (c_kv), sampling (c_s), the attention of prompts (c_a).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

IDLE_SHARE: Final = 0.3
"""Of t0, what a step costs beside reading the weights: scheduling and launching kernels."""


@dataclass(frozen=True, slots=True)
class IterationModel:
    """Constants of one model on one card, all in seconds.

    Attributes:
        step: t0, of a step that computes next to nothing.
        token: c_p, for each token computed: of a prompt, or one of each sequence that decodes.
        kv_token: c_kv, for each token in the KV cache of the sequences that decode.
        sequence: c_s, for each of these sequences.
        prompt_pair: c_a, for each prompt token and each token before it.
        source: Where the constants come from; a report shows it.
    """

    step: float
    token: float
    kv_token: float
    sequence: float
    prompt_pair: float
    source: str

    def mixed_step(
        self, prompt_tokens: int, pairs: float, kv_tokens: float, sequences: int
    ) -> float:
        """Returns the seconds of one step that computes prompts beside decoding.

        Args:
            prompt_tokens: computed in this step.
            pairs: sum over these of the tokens before each.
            kv_tokens: in the cache of the sequences that decode.
            sequences: that decode.
        """
        return (
            self._weights(prompt_tokens + sequences)
            + self.prompt_pair * pairs
            + self.kv_token * kv_tokens
            + self.sequence * sequences
        )

    def decode_steps(self, steps: int, kv_tokens: float, sequences: int) -> float:
        """Returns the seconds of `steps` steps that only decode; each adds a token a sequence."""
        one = self._weights(sequences) + self.sequence * sequences + self.kv_token * kv_tokens
        return steps * one + self.kv_token * sequences * steps * (steps - 1) / 2

    def count_decode_steps(self, seconds: float, kv_tokens: float, sequences: int) -> int:
        """Returns how many steps that only decode end within `seconds`."""
        if seconds <= 0:
            return 0
        growth = self.kv_token * sequences / 2
        one = self._weights(sequences) + self.sequence * sequences
        one += self.kv_token * kv_tokens - growth
        if growth <= 0:
            return int(seconds / one)
        return int((math.sqrt(one * one + 4 * growth * seconds) - one) / (2 * growth))

    def _weights(self, tokens: int) -> float:
        return max(self.step, IDLE_SHARE * self.step + self.token * tokens)

    def alone(self, prompt_tokens: int, chunk_tokens: int) -> float:
        """Returns the seconds to the first token on an idle replica."""
        seconds, done = 0.0, 0
        while done < prompt_tokens:
            chunk = min(chunk_tokens, prompt_tokens - done)
            seconds += self.mixed_step(chunk, chunk * (done + chunk / 2), 0.0, 0)
            done += chunk
        return seconds


_PARAMETERS: Final = 1.54e9
_WEIGHTS_BYTES: Final = 3.09e9
_KV_TOKEN_BYTES: Final = 28_672
_ATTENTION_FLOP: Final = 4 * 28 * 1536
_COMPUTE_SHARE: Final = 0.5
_BANDWIDTH_SHARE: Final = 0.8
_HOST_SECONDS: Final = 0.002
_SEQUENCE_SECONDS: Final = 10e-6


def roofline(flops: float, bytes_per_second: float) -> IterationModel:
    """Returns the constants of VibeThinker-1.5B on a card by its data sheet alone.

    Half of the card's dense fp16 rate and 80 % of its bandwidth are assumed, two milliseconds of
    host time a step, and 10 microseconds a sequence for sampling. Nothing of it is measured.

    Args:
        flops: Dense fp16 operations a second.
        bytes_per_second: Memory bandwidth.
    """
    compute, bandwidth = flops * _COMPUTE_SHARE, bytes_per_second * _BANDWIDTH_SHARE
    return IterationModel(
        step=_WEIGHTS_BYTES / bandwidth + _HOST_SECONDS,
        token=2 * _PARAMETERS / compute,
        kv_token=_KV_TOKEN_BYTES / bandwidth,
        sequence=_SEQUENCE_SECONDS,
        prompt_pair=_ATTENTION_FLOP / compute,
        source="computed from the card's data sheet, not measured",
    )


CARDS: Final[Mapping[str, IterationModel]] = {
    "Tesla-T4": roofline(65e12, 320e9),
    "NVIDIA-L4": roofline(121e12, 300e9),
    "NVIDIA-A10": roofline(125e12, 600e9),
    "NVIDIA-A100-SXM4-80GB": roofline(312e12, 2039e9),
    "NVIDIA-H100-80GB-HBM3": roofline(989e12, 3350e9),
}
"""By the node label nvidia.com/gpu.product; rates from NVIDIA's data sheets."""
