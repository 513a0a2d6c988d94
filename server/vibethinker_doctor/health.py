"""Whether an engine answers at all, by its /health. Pure."""

from vibethinker_doctor.finding import Finding

ALIVE = 200
DEAD = 503
"""What vLLM's /health answers once its engine has died."""


def find_dead(status: int | None, evidence: str) -> Finding | None:
    """Returns that the engine is dead; None while it lives.

    Args:
        status: what /health answered; None: nobody answers there.
        evidence: what was asked, and what came.
    """
    if status not in {None, DEAD}:
        return None
    cause = "nobody listens on the client port" if status is None else "the engine has died"
    return Finding(
        code="EngineDead",
        cause=cause,
        evidence=evidence,
        remedy="see its last words; a pod is restarted by itself, elsewhere start it again",
    )
