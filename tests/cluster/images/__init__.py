"""The container images of the tests, each described by a frozen `Image`."""

from tests.cluster.images.catalogue import ALL, BASE, PAUSE
from tests.cluster.images.image import Image

__all__ = ["ALL", "BASE", "PAUSE", "Image"]
