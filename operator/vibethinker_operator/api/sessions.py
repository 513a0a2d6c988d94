"""`spec.sessions`: how long clients stay known, and how much of that one of them gets."""

from typing import Annotated

from pydantic import ConfigDict, Field

from vibethinker_operator.api.base import ApiModel, Rule, rules


class Sessions(ApiModel):
    """Known sessions go on being served where new ones are refused.

    A change reaches running pods at once and rolls none. Limits hold in each pod by itself.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule="!(self.trustedHeader.lowerAscii() in ['authorization', 'connection',"
                " 'content-length', 'content-type', 'cookie', 'host', 'user-agent', 'x-profile',"
                " 'x-session-ticket', 'x-task'])",
                message="trustedHeader must be a header that only your proxy sets, one for each"
                " user or chat: this one has another meaning",
                fieldPath=".trustedHeader",
            )
        )
    )

    ttl_seconds: Annotated[int, Field(ge=60, le=86_400)] = 900
    """How long a session stays known after its last admitted request."""

    max_concurrent_requests: Annotated[int, Field(ge=1, le=1000)] = 4
    """Requests of one session that are served at once as known; one more counts as a new
    session's."""

    max_known_per_key: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Known sessions of one API key. One more is served as a new session and does not become
    known."""

    trusted_header: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9-]*$")] = ""
    """Header by which a proxy with an API key tells its users or chats apart, as X-Session-ID does;
    Open WebUI sends X-OpenWebUI-Chat-Id. Empty: none."""
