"""Small words that every sentence about a fleet needs."""


def count_replicas(count: int) -> str:
    """Returns the number with its noun."""
    return "1 replica" if count == 1 else f"{count} replicas"
