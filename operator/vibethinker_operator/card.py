"""How much memory a card has, before any pod has run on one."""

from typing import Final

GIB: Final = 2**30

CARD_MEMORY_BYTES: Final = {
    "Tesla-T4": round(14.56 * GIB),
    "NVIDIA-L4": round(22.03 * GIB),
    "NVIDIA-A10": round(22.18 * GIB),
    "NVIDIA-A30": round(23.53 * GIB),
    "NVIDIA-A100-SXM4-40GB": round(39.50 * GIB),
    "NVIDIA-A100-SXM4-80GB": round(79.25 * GIB),
    "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb": round(9.50 * GIB),
    "NVIDIA-A100-SXM4-80GB-MIG-2g.20gb": round(19.50 * GIB),
    "NVIDIA-H100-80GB-HBM3": round(79.11 * GIB),
}
"""Memory that CUDA reports, in bytes, by the node label nvidia.com/gpu.product.

It is less than the data sheet says (ECC, firmware). Source: the "GPU 0 has a total capacity of"
line of PyTorch's out-of-memory errors as users report them, which is the same figure; for slices
of a card the list that `nvidia-smi mig -lgip` prints. A card that is not here is not guessed at:
its first pod reports it.
"""


def card_memory_bytes(product: str) -> int | None:
    """Returns the memory of the card `product`, in bytes; None where it is not known."""
    return CARD_MEMORY_BYTES.get(product)
