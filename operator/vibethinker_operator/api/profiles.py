"""`spec.profiles`: whose system prompt holds, and for whom."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from vibethinker_operator.api.base import ApiModel, Rule, rules


class ProfileKind(StrEnum):
    """App: the fleet's system prompt holds. WebUI: the user's does."""

    APP = "App"
    WEB_UI = "WebUI"


class ClientSystemMessages(StrEnum):
    """What happens to a client's own system messages under a preset."""

    REFUSE = "Refuse"
    DROP = "Drop"


class Isolation(StrEnum):
    """Whose requests share cached prompts."""

    SESSION = "Session"
    KEY = "Key"
    NONE = "None"


class Sampling(ApiModel):
    """How tokens are picked where a request does not say; empty: as the model's authors advise."""

    temperature_percentage: Annotated[int, Field(ge=0, le=200)] | None = None
    """Temperature in percent: 60 is 0.6, and 0 always takes the likeliest token."""

    top_p_percentage: Annotated[int, Field(ge=1, le=100)] | None = None
    """top_p in percent: 95 takes from the likeliest tokens that have 95 % of the probability."""

    top_k: Annotated[int, Field(ge=-1, le=1_000_000)] | None = None
    """Takes from so many of the likeliest tokens; -1: from all."""


# Printable text: no control characters but tab and line feed, none that turn the direction of
# writing (a prompt would read otherwise than it is), no byte order mark.
_PRINTABLE = (
    r"^[^\x{00}-\x{08}\x{0B}-\x{1F}\x{7F}-\x{9F}\x{202A}-\x{202E}\x{2066}-\x{2069}\x{FEFF}]*$"
)

KeyName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")
]


class Profile(ApiModel):
    """One profile: several live in one fleet, so one card serves apps and people."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            Rule(
                rule=r"self.kind != 'App' || self.systemPrompt.matches('\\S')",
                message="systemPrompt is required with kind App: it is what such a profile is for",
                fieldPath=".systemPrompt",
            ),
            Rule(
                rule="!self.systemPrompt.matches('<[|][A-Za-z0-9_]+[|]>')",
                message="systemPrompt may not hold control tokens of the chat template, such as"
                " <|im_start|>: the template adds them",
                fieldPath=".systemPrompt",
            ),
        )
    )

    name: Annotated[
        str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    ]
    """Name that clients send as header X-Profile, and that metrics carry."""

    kind: ProfileKind
    """App: systemPrompt always comes first, exactly once, and raw completions are refused. WebUI:
    the client's own system prompt holds."""

    system_prompt: Annotated[str, Field(max_length=4096, pattern=_PRINTABLE)] = ""
    """App: the preset, required. WebUI: the role prompt that holds where the client sends none.
    Printable text; a change reaches running pods at once and rolls none."""

    client_system_messages: ClientSystemMessages = ClientSystemMessages.REFUSE
    """App: whether a request with system or developer messages (or instructions) of its own is
    refused, or these are dropped. Never mixed in. Not read with kind WebUI."""

    max_system_prompt_characters: Annotated[int, Field(ge=0, le=16_384)] = 4096
    """WebUI: longest system prompt of a client, in characters. Not read with kind App."""

    isolation: Isolation | None = None
    """Whose requests share the engine's prefix cache, and so could learn from timing what others
    asked: those of one session, of one API key, or of all. Unset: Session with kind App, None with
    kind WebUI. Under Session each session computes the system prompt anew once."""

    time_to_first_token_seconds: Annotated[int, Field(ge=1, le=600)] | None = None
    """Longest wait for the first token that this profile tolerates. New sessions that would wait
    longer are refused where overload.policy refuses. Unset: 1 with kind App, 3 with kind WebUI."""

    sampling: Sampling = Sampling()
    """How tokens are picked for requests that set none of temperature, top_p, top_k, min_p and the
    penalties; one that sets any is left as it is. A field set here leaves the others to the
    engine. Empty: as the model's authors advise, where the model is a known one."""

    api_keys: Annotated[
        tuple[KeyName, ...],
        Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = ()
    """Names of API keys (entries of auth.apiKeysSecretRef) that are bound to this profile, whatever
    X-Profile says. Callers with other keys choose by X-Profile, else get the first profile: a
    preset that must hold for a caller needs that caller's key here."""
