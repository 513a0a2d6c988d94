"""docs/sizing.md: what fits on which card, by the operator's own arithmetic."""

from collections.abc import Iterator
from dataclasses import dataclass

from vibethinker_operator.api import Engine, KvCacheDtype, Spec
from vibethinker_operator.api.engine import Flags
from vibethinker_operator.card import CARD_MEMORY_BYTES, GIB
from vibethinker_operator.figures import OVERHEAD_BYTES, Figures
from vibethinker_operator.kv import Capacity, assess_capacity, assess_memory_line
from vibethinker_operator.model_sizes import MODEL_SIZES, WeightFormat

from charts.source.reference.markdown import render_page, render_table
from charts.source.reference.sizing_text import ADVICE, FORMULA, INTRODUCTION, OTHER_TYPES

MODEL = Spec().model.repository
SIZE = MODEL_SIZES[MODEL]
WEIGHTS_BYTES = SIZE.weights_bytes(WeightFormat.FLOAT)
INT8_BYTES = SIZE.weights_bytes(WeightFormat.W8A8)
KV_BYTES_PER_TOKEN = SIZE.kv_token_bytes()

REPORTED_SHARE = 0.97
"""Of what their name says: cards of the desktop report 97 to 99 % of it to CUDA."""

MOST_SEQUENCES = 1024
"""The largest engine.maxNumSeqs that the resource takes."""


@dataclass(frozen=True)
class Card:
    """A card, the memory that it reports, and whether it can keep the KV cache in Fp8."""

    name: str
    memory_bytes: int
    fp8: bool = False


def _named(size_gb: int) -> Card:
    return Card(f"any of {size_gb} GB", round(REPORTED_SHARE * size_gb * GIB))


def _known(name: str, product: str, *, fp8: bool = False) -> Card:
    return Card(f"{name} (`{product}`)", CARD_MEMORY_BYTES[product], fp8)


CARDS = (
    *(_named(size) for size in (8, 12, 16, 24)),
    _known("T4", "Tesla-T4"),
    _known("L4", "NVIDIA-L4", fp8=True),
    _known("A10", "NVIDIA-A10"),
    _known("A30", "NVIDIA-A30"),
    _known("A100, slice 1g.10gb", "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb"),
    _known("A100, slice 2g.20gb", "NVIDIA-A100-SXM4-80GB-MIG-2g.20gb"),
    _known("A100 of 40 GB", "NVIDIA-A100-SXM4-40GB"),
    _known("A100 of 80 GB", "NVIDIA-A100-SXM4-80GB"),
    _known("H100 of 80 GB", "NVIDIA-H100-80GB-HBM3", fp8=True),
)
HEAD = (
    "card",
    "memory, GiB",
    "KV pool, GiB",
    "KV tokens",
    "sequences of 4096 that fit",
    "with INT8 weights",
    "with an Fp8 cache",
    "highest live memory, 128 sequences",
    "75 % line",
    "`maxNumSeqs` that reaches it",
)


def render_sizing_page() -> str:
    """Returns the page."""
    weights, overhead = WEIGHTS_BYTES / 1e9, OVERHEAD_BYTES / GIB
    formula = FORMULA.format(
        weights_bytes=WEIGHTS_BYTES,
        weights_gb=f"{weights:.2f}",
        overhead_gib=f"{overhead:.0f}",
        token_bytes=KV_BYTES_PER_TOKEN,
        sixteen=_gigabytes(16),
        thirty_two=_gigabytes(32),
    )
    return render_page(
        "Sizing",
        INTRODUCTION,
        "## The table",
        render_table(HEAD, (_row(card) for card in CARDS)),
        "## The formula",
        formula,
        "## Weights and KV cache in other types",
        render_table(("setting", "weights", "KV of a token", "where"), _types()),
        OTHER_TYPES.format(
            smaller=f"{100 * (1 - INT8_BYTES / WEIGHTS_BYTES):.0f}",
            more=f"{100 * (_tokens_on_a_t4(INT8_BYTES) / _tokens_on_a_t4(WEIGHTS_BYTES) - 1):.0f}",
        ),
        "## What follows",
        ADVICE,
    )


def sequences_to_reach_the_line(memory_bytes: int) -> int | None:
    """Returns the smallest maxNumSeqs with which the line can be crossed; None where none does."""
    for sequences in range(1, MOST_SEQUENCES + 1):
        figures = Figures(device_bytes=memory_bytes)
        if assess_memory_line(_spec(sequences), figures).reachable:
            return sequences
    return None


def _spec(sequences: int | None = None, *, fp8: bool = False) -> Spec:
    flags = Flags(kv_cache_dtype=KvCacheDtype.FP8) if fp8 else Flags()
    if sequences is None:
        return Spec(engine=Engine(flags=flags))
    return Spec(engine=Engine(max_num_seqs=sequences, flags=flags))


def full_memory_bytes(*, sequences: int, tokens: int) -> int:
    """Returns what a Float16 replica takes with `sequences` of `tokens` each."""
    return WEIGHTS_BYTES + OVERHEAD_BYTES + sequences * tokens * KV_BYTES_PER_TOKEN


def _capacity(
    memory_bytes: int, *, weights_bytes: int = WEIGHTS_BYTES, fp8: bool = False
) -> Capacity:
    told = Figures(device_bytes=memory_bytes, weights_bytes=weights_bytes)
    capacity = assess_capacity(_spec(fp8=fp8), told)
    assert capacity is not None  # noqa: S101 (all of it is known of a known model on a given card)
    return capacity


def _tokens_on_a_t4(weights_bytes: int) -> int:
    return _capacity(CARD_MEMORY_BYTES["Tesla-T4"], weights_bytes=weights_bytes).tokens


def _row(card: Card) -> tuple[str, ...]:
    capacity = _capacity(card.memory_bytes)
    int8 = _capacity(card.memory_bytes, weights_bytes=INT8_BYTES).sequences
    fp8 = _capacity(card.memory_bytes, fp8=True).sequences if card.fp8 else None
    reach = assess_memory_line(_spec(), Figures(device_bytes=card.memory_bytes))
    needed = sequences_to_reach_the_line(card.memory_bytes)
    return (
        card.name,
        f"{card.memory_bytes / GIB:.2f}",
        f"{capacity.pool_bytes / GIB:.2f}",
        f"{capacity.tokens:,}",
        f"{capacity.sequences:,}",
        f"{int8:,}",
        "–" if fp8 is None else f"{fp8:,}",
        f"{reach.percentage} %",
        "can be crossed" if reach.reachable else "out of reach: the queue decides",
        "–" if needed is None else str(needed),
    )


def _gigabytes(sequences: int) -> str:
    return f"{full_memory_bytes(sequences=sequences, tokens=4096) / 1e9:.2f}"


def _types() -> Iterator[tuple[str, ...]]:
    weights, token = WEIGHTS_BYTES, KV_BYTES_PER_TOKEN
    yield _type("`engine.dtype: Float16`", weights, token, "GPU, the default")
    yield _type("`engine.dtype: BFloat16`", weights, token, "CPU, the default")
    yield _type("`engine.dtype: Float32`", 2 * weights, 2 * token, "CPU only")
    capable = "GPU of compute capability 8.9 or newer (L4, H100)"
    yield _type("`engine.flags.kvCacheDtype: Fp8`", weights, token // 2, capable)
    for name, form, where in (
        ("INT8 weights, W8A8", WeightFormat.W8A8, "GPU, CPU"),
        ("INT8 weights, BitsAndBytes", WeightFormat.BITSANDBYTES, "GPU, CPU"),
        ("GGUF, f16", WeightFormat.GGUF_F16, "CPU, llama.cpp"),
        ("GGUF, q8_0", WeightFormat.GGUF_Q8_0, "CPU, llama.cpp"),
    ):
        yield _type(name, SIZE.weights_bytes(form), token, where)
    for repository, size in MODEL_SIZES.items():
        if repository != MODEL:
            name = f"`model.repository: {repository}`"
            weights = size.weights_bytes(WeightFormat.FLOAT)
            yield _type(name, weights, size.kv_token_bytes(), "in Float16")


def _type(name: str, weights_bytes: int, token_bytes: int, where: str) -> tuple[str, ...]:
    return name, f"{weights_bytes / 1e9:.2f} GB", f"{token_bytes:,} bytes", where
