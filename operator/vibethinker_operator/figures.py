"""The memory of one replica in figures: as the spec lets expect it, and as its pods tell. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from vibethinker_operator.api import (
    Device,
    Dtype,
    GgufOutType,
    KvCacheDtype,
    QuantizationMethod,
    Source,
    Spec,
)
from vibethinker_operator.card import GIB, card_memory_bytes
from vibethinker_operator.effective import resolve_engine
from vibethinker_operator.model_sizes import (
    FLOAT32_BYTES,
    HALF_BYTES,
    MODEL_SIZES,
    ModelSize,
    WeightFormat,
)
from vibethinker_operator.quantity import parse_quantity

OVERHEAD_BYTES: Final = GIB
"""CUDA context, activations of one step, logits, CUDA graphs: assumed until a pod has reported
what it really is."""


QUANTIZED: Final[Mapping[QuantizationMethod, WeightFormat]] = {
    QuantizationMethod.W8A8: WeightFormat.W8A8,
    QuantizationMethod.BITS_AND_BYTES: WeightFormat.BITSANDBYTES,
}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Memory of one replica, in bytes; None is unknown.

    Attributes:
        device_bytes: of the card, or on CPU the container's limit.
        weights_bytes: of the weights once loaded.
        non_kv_bytes: in use beside the KV pool: weights, runtime, activations.
        kv_token_bytes: of KV that one token keeps.
        pool_tokens: tokens that the engine's KV pool holds; only a pod can tell.
    """

    device_bytes: int | None = None
    weights_bytes: int | None = None
    non_kv_bytes: int | None = None
    kv_token_bytes: int | None = None
    pool_tokens: int | None = None


NOTHING_TOLD: Final = Figures()


def settle_figures(spec: Spec, told: Figures = NOTHING_TOLD) -> Figures:
    """Returns what is known of a replica: what pods tell, and what the spec lets expect beside it.

    Args:
        spec: what the fleet is to be.
        told: what its pods say.
    """
    size = known_size(spec)
    weights = told.weights_bytes or (None if size is None else expected_weights_bytes(spec, size))
    # On CPU the processes' own memory is far from the card's overhead: only a pod can tell.
    gpu = spec.engine.device is Device.GPU
    expected = Figures(
        device_bytes=expected_device_bytes(spec),
        weights_bytes=weights,
        non_kv_bytes=weights + OVERHEAD_BYTES if weights is not None and gpu else None,
        kv_token_bytes=None if size is None else _expected_token_bytes(spec, size),
    )
    return Figures(
        **{
            figure.name: getattr(told, figure.name) or getattr(expected, figure.name)
            for figure in fields(Figures)
        }
    )


def known_size(spec: Spec) -> ModelSize | None:
    """Returns the dimensions of the model, None where its name does not tell them."""
    model = spec.model
    return None if model.source is Source.VOLUME else MODEL_SIZES.get(model.repository)


def weight_format(spec: Spec) -> WeightFormat:
    """Returns how the weights of the fleet lie in memory."""
    if spec.model.gguf is not None:
        small = spec.model.gguf.outtype is GgufOutType.Q8_0
        return WeightFormat.GGUF_Q8_0 if small else WeightFormat.GGUF_F16
    if spec.model.quantization is not None:
        return QUANTIZED[spec.model.quantization.method]
    return WeightFormat.FLOAT


def expected_weights_bytes(spec: Spec, size: ModelSize) -> int:
    """Returns what the weights take as the spec has them served."""
    return size.weights_bytes(weight_format(spec), _float_bytes(spec))


def expected_device_bytes(spec: Spec) -> int | None:
    """Returns the device's memory as the spec tells it, in bytes; None where it does not."""
    if spec.engine.device is Device.GPU:
        return card_memory_bytes(spec.gpu.product)
    limit = spec.resources.limits.memory
    return None if limit is None else parse_quantity(limit)


def _expected_token_bytes(spec: Spec, size: ModelSize) -> int:
    fp8 = spec.engine.flags.kv_cache_dtype is KvCacheDtype.FP8
    return size.kv_token_bytes(1 if fp8 else _float_bytes(spec))


def _float_bytes(spec: Spec) -> int:
    return FLOAT32_BYTES if resolve_engine(spec).dtype is Dtype.FLOAT32 else HALF_BYTES
