"""Whether a newcomer's KV fits beside what is promised already. Pure."""

# Of the KV pool: beyond it running requests are preempted and begin again.
HARD_LINE_RATIO = 0.95
# Of the pool, for the requests of one session together: beyond it they count as a newcomer's.
SESSION_SHARE = 0.25


def fits(pool_tokens: int | None, used_ratio: float | None, committed: int, own: int) -> bool:
    """Returns whether `own` tokens more stay below the hard line.

    What is promised is what requests in flight will likely hold at their end, and never less than
    what the engine holds now: answers may turn out longer than was likely. With nothing in flight
    everybody fits, as there is nobody to protect.

    Args:
        pool_tokens: that the KV pool holds, None: not known, and nobody is refused for it.
        used_ratio: share of the pool that the engine's sequences hold now, None: not known.
        committed: tokens that requests in flight will likely hold at their end.
        own: tokens that the newcomer will likely hold at its end.
    """
    if pool_tokens is None or committed == 0:
        return True
    used = max(committed, (used_ratio or 0.0) * pool_tokens)
    return used + own <= HARD_LINE_RATIO * pool_tokens


def is_within_share(pool_tokens: int | None, held: int, own: int) -> bool:
    """Returns whether a session that has `held` tokens committed may have `own` more.

    Its first request always may, however small the pool is.
    """
    return pool_tokens is None or held == 0 or held + own <= SESSION_SHARE * pool_tokens
