"""The one system prompt of a request, by profile. Pure."""

from vibethinker_server.conversation import SystemText
from vibethinker_server.openai_errors import OpenAIError, refuse
from vibethinker_server.profiles import ClientSystemMessages, Profile, ProfileKind


def settle_system_prompt(profile: Profile, sent: tuple[SystemText, ...]) -> str:
    """Returns the system prompt that comes first, empty for none; `sent` is the client's own.

    Raises:
        OpenAIError: 400 with the place of a system message that the profile refuses.
    """
    if profile.kind is ProfileKind.APP:
        if sent and profile.client_system_messages is ClientSystemMessages.REFUSE:
            wrong = f"profile {profile.name} has its own system prompt and takes no other."
            raise refuse(sent[0].param, wrong, "system_prompt_refused")
        return profile.system_prompt
    if not sent:
        return profile.system_prompt
    text = "\n\n".join(one.text for one in sent)
    most = profile.max_system_prompt_characters
    if len(text) > most:
        raise refuse(sent[0].param, f"a system prompt may have at most {most} characters.")
    return text


def check_raw_prompt(profile: Profile) -> None:
    """Lets a raw prompt through where there is no preset, which it would leave out.

    Raises:
        OpenAIError: 400; the profile has one.
    """
    if profile.kind is ProfileKind.APP:
        message = (
            f"Profile {profile.name} has a system prompt, which a raw prompt would leave out. "
            "Use /v1/chat/completions or /v1/responses."
        )
        raise OpenAIError(400, message, "raw_prompt_refused", "prompt")
