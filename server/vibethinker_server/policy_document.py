"""What the operator tells a pod, as JSON: read, judged and turned into values. Pure.

The policy comes from a ConfigMap at the start, the lease with every sweep of the operator, and the
policy in a sweep while the pod does not report its generation. A document that breaks a rule is
refused whole, with the field's name, and the one before it stays obeyed. Fields this version does
not know are passed over, because a newer operator must be able to talk to older pods: upgrading it
rolls none.
"""

from types import MappingProxyType
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, IPvAnyAddress, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from vibethinker_server.policy import (
    Growth,
    Lease,
    OverloadPolicy,
    Policy,
    Saturation,
    SessionLimits,
)
from vibethinker_server.profiles import (
    DEFAULT_PROFILES,
    ClientSystemMessages,
    Isolation,
    Profile,
    ProfileKind,
)
from vibethinker_server.sampling import Sampling

Percentage = Annotated[int, Field(ge=1, le=100)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Tokens = Annotated[int, Field(ge=1, le=10_000_000)]
# A name is a header's value and a metric's label.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
HeaderName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9-]*$")]

# Isolation and objective of a profile that does not say: App is isolated and quick.
ISOLATION = {ProfileKind.APP: Isolation.SESSION, ProfileKind.WEB_UI: Isolation.NONE}
FIRST_TOKEN_SECONDS = {ProfileKind.APP: 1.0, ProfileKind.WEB_UI: 3.0}

_Model = TypeVar("_Model", bound=BaseModel)


class DocumentError(ValueError):
    """A document from the operator breaks a rule; the text names each field and what is wrong."""


class _Document(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        strict=True,
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
    )


class _Saturation(_Document):
    memory_used_percentage: Percentage
    """The line: share of the device's memory that is really in use."""
    memory_recover_percentage: Percentage
    """Below it a crossed line counts as left again; not above the line."""
    request_queue_length: Count
    """Waiting requests of one server that count as too many."""
    sustained_seconds: Annotated[int, Field(ge=0, le=86_400)]
    """For so long a line stays crossed before it counts."""

    @model_validator(mode="after")
    def _recover_is_below(self) -> Self:
        if self.memory_recover_percentage > self.memory_used_percentage:
            raise ValueError("memoryRecoverPercentage must not be above memoryUsedPercentage")
        return self


class _Overload(_Document):
    # Strict mode takes enum members only; JSON has strings.
    policy: Annotated[OverloadPolicy, Field(strict=False)]
    """Whether new sessions are refused at the line: never, always, or where no replica can come."""
    max_queued_requests: Count
    """Most waiting requests; past it new sessions are refused, past twice as many known ones."""


class _Sampling(_Document):
    temperature_percentage: Annotated[int, Field(ge=0, le=200)] | None = None
    """60 is a temperature of 0.6; 0 always takes the likeliest token."""
    top_p_percentage: Annotated[int, Field(ge=1, le=100)] | None = None
    """95 is a top_p of 0.95."""
    top_k: Annotated[int, Field(ge=-1, le=1_000_000)] | None = None
    """Takes from so many of the likeliest tokens; -1: from all."""


class _Profile(_Document):
    name: Name
    """What X-Profile says, and a label of metrics."""
    kind: Annotated[ProfileKind, Field(strict=False)]
    """App: the system prompt below holds; WebUI: the client's own does."""
    system_prompt: Annotated[str, Field(max_length=4096)] = ""
    """App: what always comes first. WebUI: what the chat page suggests."""
    client_system_messages: Annotated[ClientSystemMessages, Field(strict=False)] = (
        ClientSystemMessages.REFUSE
    )
    """App: what becomes of a client's own system messages."""
    max_system_prompt_characters: Count = 4096
    """WebUI: longest system prompt of a client."""
    api_keys: Annotated[list[str], Field(max_length=64)] = []
    """Names of the keys that are bound to this profile."""
    isolation: Annotated[Isolation, Field(strict=False)] | None = None
    """With whom a session shares cached prompts; unset: Session for App, None for WebUI."""
    time_to_first_token_seconds: Annotated[int, Field(ge=1, le=3600)] | None = None
    """Longest wait that a new session is let in for; unset: 1 for App, 3 for WebUI."""
    sampling: _Sampling = _Sampling()
    """What holds for requests that choose nothing of it themselves; empty: the model's own."""

    @model_validator(mode="after")
    def _preset_is_there(self) -> Self:
        if self.kind is ProfileKind.APP and not self.system_prompt.strip():
            raise ValueError("a profile of kind App needs a systemPrompt")
        return self


class _Sessions(_Document):
    ttl_seconds: Annotated[int, Field(ge=1, le=86_400)] = 900
    """A session is known for so long after its last admitted request."""
    max_concurrent_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 4
    """Requests of a known session at once; further ones count as a newcomer's."""
    max_known_per_key: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    """Known sessions of one API key; further ones stay newcomers."""
    trusted_header: HeaderName = ""
    """Header in which callers with a key may name their sessions, beside X-Session-ID."""


class _Policy(_Document):
    generation: Annotated[int, Field(ge=0)]
    """Which version of the policy this is; metrics show the one that is obeyed."""
    saturation: _Saturation
    """When a server counts as full."""
    overload: _Overload
    """Who is refused then."""
    token_limits: Annotated[dict[Name, Tokens], Field(min_length=1, max_length=64)]
    """Most tokens of an answer, by task."""
    default_task: Name | None = None
    """Task of a request that names none; unset: the one with the highest cap."""
    profiles: Annotated[list[_Profile], Field(max_length=64)] = []
    """Whose system prompt holds; the first is the default. Unset: one of kind WebUI."""
    sessions: _Sessions = _Sessions()
    """Who counts as known, and within which limits."""
    repository: Annotated[str, Field(max_length=256)] = ""
    """Repository that the weights were made from, by which the model is known; unset: as the engine
    settings say."""

    @model_validator(mode="after")
    def _default_is_a_task(self) -> Self:
        if self.default_task is not None and self.default_task not in self.token_limits:
            raise ValueError("defaultTask must be one of tokenLimits")
        return self


class _Lease(_Document):
    growth: Annotated[Growth, Field(strict=False)]
    relief_seconds: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None
    move_connections: bool
    ttl_seconds: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 10.0
    peers: Annotated[list[IPvAnyAddress], Field(max_length=4096)] = []


class _Sweep(_Document):
    policy: _Policy | None = None
    lease: _Lease


def parse_policy(text: bytes | str) -> Policy:
    """Returns the policy that the JSON `text` holds.

    Raises:
        DocumentError: the text is no JSON or a field is missing or wrong.
    """
    return _policy(_parse(_Policy, text))


def parse_sweep(text: bytes | str) -> tuple[Policy | None, Lease]:
    """Returns policy, if any, and lease of a sweep, the JSON body of a POST to /-/fleet.

    Raises:
        DocumentError: the text is no JSON or a field is missing or wrong.
    """
    sweep = _parse(_Sweep, text)
    lease = Lease(
        growth=sweep.lease.growth,
        relief_seconds=sweep.lease.relief_seconds,
        move_connections=sweep.lease.move_connections,
        ttl_seconds=sweep.lease.ttl_seconds,
        peers=tuple(map(str, sweep.lease.peers)),
    )
    return _policy(sweep.policy) if sweep.policy else None, lease


def _parse(model: type[_Model], text: bytes | str) -> _Model:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise DocumentError("; ".join(_sentence(part) for part in error.errors())) from error


def _sentence(part: Any) -> str:
    field = ".".join(str(step) for step in part["loc"])
    return f"{field}: {part['msg']}" if field else str(part["msg"])


def _policy(document: _Policy) -> Policy:
    lines, limits = document.saturation, document.token_limits
    return Policy(
        generation=document.generation,
        saturation=Saturation(
            memory_used_ratio=lines.memory_used_percentage / 100,
            memory_recover_ratio=lines.memory_recover_percentage / 100,
            request_queue_length=lines.request_queue_length,
            sustained_seconds=float(lines.sustained_seconds),
        ),
        overload=document.overload.policy,
        max_queued_requests=document.overload.max_queued_requests,
        token_limits=MappingProxyType(dict(limits)),
        # A request whose task nobody names is cut as late as any.
        default_task=document.default_task or max(limits, key=lambda task: limits[task]),
        profiles=tuple(map(_profile, document.profiles)) or DEFAULT_PROFILES,
        sessions=_session_limits(document.sessions),
        repository=document.repository,
    )


def _session_limits(document: _Sessions) -> SessionLimits:
    return SessionLimits(
        ttl_seconds=float(document.ttl_seconds),
        max_concurrent_requests=document.max_concurrent_requests,
        max_known_per_key=document.max_known_per_key,
        trusted_header=document.trusted_header.lower().encode(),
    )


def _profile(document: _Profile) -> Profile:
    return Profile(
        name=document.name,
        kind=document.kind,
        system_prompt=document.system_prompt,
        client_system_messages=document.client_system_messages,
        max_system_prompt_characters=document.max_system_prompt_characters,
        api_keys=frozenset(document.api_keys),
        isolation=document.isolation or ISOLATION[document.kind],
        first_token_seconds=float(
            document.time_to_first_token_seconds or FIRST_TOKEN_SECONDS[document.kind]
        ),
        sampling=_sampling(document.sampling),
    )


def _sampling(document: _Sampling) -> Sampling:
    temperature, top_p = document.temperature_percentage, document.top_p_percentage
    return Sampling(
        temperature=None if temperature is None else temperature / 100,
        top_p=None if top_p is None else top_p / 100,
        top_k=document.top_k,
    )


def policy_schema() -> dict[str, Any]:
    """Returns the JSON schema of the policy document."""
    return _Policy.model_json_schema(by_alias=True)
