"""The container images of the tests, each described by a frozen `Image`."""

from tests.cluster.images.catalogue import (
    ALL,
    BASE,
    ENGINE,
    OPERATOR,
    PAUSE,
    SERVER,
    STUB_ENGINE,
    STUB_LOAD_PORT,
    engine_site,
)
from tests.cluster.images.image import Image

__all__ = [
    "ALL",
    "BASE",
    "ENGINE",
    "OPERATOR",
    "PAUSE",
    "SERVER",
    "STUB_ENGINE",
    "STUB_LOAD_PORT",
    "Image",
    "engine_site",
]
