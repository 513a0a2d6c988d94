"""Dropping what is over from a dict that is ordered by last renewal. Pure but for that dict."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def drop_oldest(
    entries: OrderedDict[K, V], expiry: Callable[[V], float], *, now: float, most: int
) -> list[V]:
    """Removes from the front what expired by `now`, and the oldest beyond `most`.

    All live equally long, so the oldest expire first; where the time was shortened meanwhile, what
    was renewed before goes when its own, longer time is over.

    Args:
        entries: oldest renewal first.
        expiry: when an entry's time is over, in the unit of `now`.
        now: the time.
        most: so many entries may stay.

    Returns:
        What was removed, oldest first.
    """
    gone = []
    while entries and (len(entries) > most or expiry(next(iter(entries.values()))) <= now):
        gone.append(entries.popitem(last=False)[1])
    return gone
