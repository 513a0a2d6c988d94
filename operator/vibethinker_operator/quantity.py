"""Amounts as Kubernetes writes them. Pure."""

from decimal import ROUND_CEILING, Decimal
from typing import Final

_FACTORS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}


def parse_quantity(quantity: int | str) -> int:
    """Returns an amount as a whole number, rounded up as Kubernetes does.

    The suffixes are those that the resource's schema lets through.
    """
    text = str(quantity)
    number = text.rstrip("".join(_FACTORS))
    exact = Decimal(number) * _FACTORS[text.removeprefix(number)]
    return int(exact.to_integral_value(rounding=ROUND_CEILING))
