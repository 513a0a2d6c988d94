"""Which paths of the client port exist. Everything else is closed before vLLM sees it. Pure.

vLLM serves dozens of paths, several of which generate without its key check (/invocations) or
tell what no client should know (/metrics, /server_info).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vibethinker_server import names
from vibethinker_server.openai_errors import OpenAIError


class Api(StrEnum):
    """The kinds of request that take the engine's time."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    RESPONSES = "responses"


@dataclass(frozen=True, slots=True)
class Route:
    """One open path: its method, and what its requests ask of the engine, None: nothing."""

    method: str
    api: Api | None = None


ROUTES: Mapping[str, Route] = {
    names.PATH_CHAT: Route("POST", Api.CHAT),
    names.PATH_COMPLETIONS: Route("POST", Api.COMPLETIONS),
    names.PATH_RESPONSES: Route("POST", Api.RESPONSES),
    names.PATH_MODELS: Route("GET"),
    names.PATH_HEALTH: Route("GET"),
    names.PATH_PAGE: Route("GET"),
}


def find_route(method: str, path: str) -> Route:
    """Returns the route of exactly this `path`, which is scope["path"] and never a URL.

    Raises:
        OpenAIError: 404 for any other path, 405 for another method.
    """
    route = ROUTES.get(path)
    if route is None:
        open_paths = ", ".join(ROUTES)
        raise OpenAIError(404, f"This path does not exist. Use one of {open_paths}.", "not_found")
    if method != route.method:
        raise OpenAIError(405, f"Use {route.method} on this path.", "method_not_allowed")
    return route
