"""The container images of the tests, each described by a frozen `Image`."""

from tests.cluster.images.catalogue import (
    ALL,
    BASE,
    ENGINE,
    LLAMA_SERVER,
    OPERATOR,
    PAUSE,
    SERVER,
    STUB_ENGINE,
    STUB_LOAD_PORT,
    engine_site,
)
from tests.cluster.images.image import Image
from tests.cluster.images.llama_server import llama_server

__all__ = [
    "ALL",
    "BASE",
    "ENGINE",
    "LLAMA_SERVER",
    "OPERATOR",
    "PAUSE",
    "SERVER",
    "STUB_ENGINE",
    "STUB_LOAD_PORT",
    "Image",
    "engine_site",
    "llama_server",
]
