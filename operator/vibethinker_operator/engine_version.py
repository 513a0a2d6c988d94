"""Which vLLM an engine image carries, as its tag says, and whether we test against it. Pure."""

import re
from typing import Final

TESTED_VERSIONS: Final = ("0.32.0", "0.33.0")
"""vLLM releases that our tests run or parse against: 0.32.0 on CPU, 0.33.0 for GPU."""

_VERSION: Final = re.compile(r":v?(\d+\.\d+\.\d+)[^/]*$")


def find_version(image: str) -> str | None:
    """Returns the version that the image's tag names; None for a digest or another kind of tag."""
    reference, _, _ = image.partition("@")
    found = _VERSION.search(reference)
    return found.group(1) if found else None


def is_tested(image: str) -> bool | None:
    """Returns whether the image's vLLM is one that we test against; None where it says none."""
    version = find_version(image)
    return None if version is None else version in TESTED_VERSIONS
