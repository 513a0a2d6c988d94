"""Amounts in an engine's texts, and values that a resource takes. Pure."""

NUMBER = r"\d{1,12}(?:\.\d{1,12})?"
"""An amount as vLLM prints it; digits without end would be no amount."""
COUNT = r"\d{1,12}"

GIB = 2**30
MIB = 2**20

# Bounds of the resource's fields (the CRD): a value outside is no proposal.
MODEL_LEN = range(256, 131_073)
POOL_BYTES = range(64 * MIB, 2**40 + 1)
UTILIZATION = range(10, 98)
SEQUENCES = range(1, 1025)
BATCHED_TOKENS = range(64, 131_073)
LENGTH_STEP = 16
"""Tokens of the smallest block of KV: a length is rounded down to whole ones."""


def gib(text: str) -> int:
    """Returns the bytes of a number of GiB as vLLM prints it, with two digits."""
    return round(float(text) * GIB)


def pool_of(text: str) -> int | None:
    """Returns a KV pool of whole MiB not below what vLLM rounded to `text` GiB; None: too large."""
    pool = max(-(-round((float(text) + 0.005) * GIB) // MIB) * MIB, POOL_BYTES.start)
    return pool if pool in POOL_BYTES else None


def length_within(tokens: int) -> int | None:
    """Returns the longest length of whole blocks within `tokens`; None where that is too short."""
    length = min(tokens, MODEL_LEN.stop - 1) // LENGTH_STEP * LENGTH_STEP
    return length if length in MODEL_LEN else None


def pool_within(byte_count: int) -> int | None:
    """Returns a KV pool of whole MiB within `byte_count`; None where that is too small."""
    pool = byte_count // MIB * MIB
    return pool if pool in POOL_BYTES else None


def percentage_within(percentage: float) -> int | None:
    """Returns a share of the card within `percentage`; None where the field takes no such."""
    whole = int(percentage)
    return whole if whole in UTILIZATION else None


def sequences(count: int) -> int | None:
    """Returns `count` as the resource takes sequences that run at once; None where it does not."""
    return count if count in SEQUENCES else None


def batched_tokens(tokens: int) -> int | None:
    """Returns `tokens` as the resource takes them for one step; None where it does not."""
    tokens = max(tokens, BATCHED_TOKENS.start)
    return tokens if tokens in BATCHED_TOKENS else None


def show_bytes(byte_count: float) -> str:
    """Returns an amount of memory for people."""
    if abs(byte_count) >= GIB:
        return f"{byte_count / GIB:.2f} GiB"
    return f"{byte_count / MIB:.1f} MiB"
