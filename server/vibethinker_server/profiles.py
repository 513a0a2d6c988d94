"""Profiles: whose system prompt holds, chosen by API key, else by header, else the first. Pure.

A key that a profile lists is bound to it: whatever header such a caller sends, it stays there.
Callers that no profile lists choose freely, so a preset that must hold needs keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from vibethinker_server.openai_errors import refuse
from vibethinker_server.sampling import NO_CHOICE, Sampling


class ProfileKind(StrEnum):
    """App: the fleet's own system prompt holds. WebUI: the user's does."""

    APP = "App"
    WEB_UI = "WebUI"


class ClientSystemMessages(StrEnum):
    """What happens to a client's system messages under a preset; they are never mixed in."""

    REFUSE = "Refuse"
    DROP = "Drop"


class Isolation(StrEnum):
    """Whose requests share the engine's prefix cache: of one session, of one API key, of all."""

    SESSION = "Session"
    KEY = "Key"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile.

    Attributes:
        name: what the X-Profile header and the metrics call it.
        system_prompt: App: the preset. WebUI: what holds where the client sends none.
        max_system_prompt_characters: of the client's own, under WebUI.
        api_keys: names of the keys that are bound to this profile.
        isolation: whose requests share cached prefixes.
        first_token_seconds: how long a newcomer may wait for its first token.
        sampling: what holds for requests that choose nothing, instead of the model's own.
    """

    name: str
    kind: ProfileKind
    system_prompt: str = ""
    client_system_messages: ClientSystemMessages = ClientSystemMessages.REFUSE
    max_system_prompt_characters: int = 4096
    api_keys: frozenset[str] = frozenset()
    isolation: Isolation = Isolation.NONE
    first_token_seconds: float = 3.0
    sampling: Sampling = NO_CHOICE


# Without any in the policy, as an older operator sends it.
DEFAULT_PROFILES = (Profile("webui", ProfileKind.WEB_UI),)


def choose_profile(
    profiles: Sequence[Profile], key: str | None, headers: Sequence[bytes]
) -> Profile:
    """Returns the profile of a request by the key named `key` with these X-Profile `headers`.

    Raises:
        OpenAIError: 400 where the headers name no profile, or several.
    """
    for profile in profiles:
        if key in profile.api_keys:
            return profile
    if not headers:
        return profiles[0]
    named = {value.decode("latin-1").strip() for value in headers}
    for profile in profiles:
        if named == {profile.name}:
            return profile
    known = ", ".join(profile.name for profile in profiles)
    raise refuse("X-Profile", f"must name one of this fleet's profiles: {known}.")
