"""What the operator tells a pod, as values: the policy and the lease."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vibethinker_server.profiles import DEFAULT_PROFILES, Profile


class OverloadPolicy(StrEnum):
    """What a fleet does about a crossed line."""

    SCALE_OUT = "ScaleOut"
    REJECT = "Reject"
    SCALE_OUT_THEN_REJECT = "ScaleOutThenReject"


class Growth(StrEnum):
    """Whether relief is to be had from another replica, as the operator last said."""

    CAN_GROW = "CanGrow"
    CANNOT_GROW = "CannotGrow"
    NOT_OURS = "NotOurs"


@dataclass(frozen=True, slots=True)
class Saturation:
    """The lines that scaling and admission both read. Ratios are 0 to 1."""

    memory_used_ratio: float
    memory_recover_ratio: float
    request_queue_length: int
    sustained_seconds: float


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long sessions stay known, and how much of that one caller gets.

    Attributes:
        ttl_seconds: how long a session stays known after its last admitted request.
        max_concurrent_requests: of one session; a request beyond it counts as a newcomer's.
        max_known_per_key: sessions of one API key; one beyond it stays a newcomer.
        trusted_header: name, in lower case, of a header that a proxy sets to tell its users apart;
            empty: none.
    """

    ttl_seconds: float = 900.0
    max_concurrent_requests: int = 4
    max_known_per_key: int = 256
    trusted_header: bytes = b""


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy document.

    Attributes:
        token_limits: the cap in tokens by task.
        default_task: the task of a request that names none.
        profiles: in order; the first is that of a request that names none.
        repository: what the weights were made from, empty: as the engine's settings say.
    """

    generation: int
    saturation: Saturation
    overload: OverloadPolicy
    max_queued_requests: int
    token_limits: Mapping[str, int]
    default_task: str
    profiles: tuple[Profile, ...] = DEFAULT_PROFILES
    sessions: SessionLimits = SessionLimits()
    repository: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """What holds until `ttl_seconds` after it came; `relief_seconds` counts from then too.

    `peers` are the addresses of the fleet's pods, this one's among them.
    """

    growth: Growth
    relief_seconds: float | None
    move_connections: bool
    ttl_seconds: float
    peers: tuple[str, ...] = ()
