"""`spec.auth`: who may use the fleet."""

from vibethinker_operator.api.base import ApiModel, SecretName


class ApiKeys(ApiModel):
    """The Secret that holds the API keys."""

    name: SecretName = ""
    """Name of a Secret in this namespace. Starts with `vibethinker-`, so that no other Secret can
    be named. Each of its entries is one API key: the entry's name is the key's name, which metrics
    and profiles use; its content is the key. Keys that are added or removed hold within about a
    minute and roll no pod. Empty: the fleet is open to everybody who can reach it."""


class Auth(ApiModel):
    """Who may use the fleet."""

    api_keys_secret_ref: ApiKeys = ApiKeys()
    """Secret with the API keys, sent as `Authorization: Bearer`. Naming one, or another one, rolls
    the pods."""
