"""Why a container of a server pod ended, from everything that its status holds. Pure."""

from vibethinker_doctor.engine_facts import NOTHING_KNOWN, EngineFacts
from vibethinker_doctor.finding import Finding, Severity
from vibethinker_doctor.kubernetes_view import (
    NO_MEMORY_KNOWN,
    OOM_KILLED,
    ContainerFacts,
    HostMemory,
    find_end,
)
from vibethinker_doctor.last_words import find_last_words
from vibethinker_doctor.termination import decode_finding


def diagnose_end(
    facts: ContainerFacts,
    message: str,
    engine: EngineFacts = NOTHING_KNOWN,
    memory: HostMemory = NO_MEMORY_KNOWN,
) -> Finding | None:
    """Returns why it ended; None where nothing tells.

    Args:
        facts: how it ended, in the kubelet's words.
        message: its termination message: what the engine's process wrote there, or the end of the
            log.
        engine: what the engine was told.
        memory: what it takes of its container, where that is known.
    """
    killed = find_end(facts, engine, memory)
    # The kernel's word is the last: an error that was logged before was survived.
    if killed is not None and facts.ended_reason == OOM_KILLED:
        return killed
    written = decode_finding(message)
    if written is not None:
        return written
    words = find_last_words(message, engine)
    errors = (finding for finding in words if finding.severity is Severity.ERROR)
    return next(errors, killed)
