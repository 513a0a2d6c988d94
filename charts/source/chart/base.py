"""The base of the chart's values, and the shapes that several of them share."""

from typing import Annotated

from pydantic import Field
from vibethinker_operator.api.base import ApiModel


class ValuesModel(ApiModel):
    """A block of values.yaml; the string under a field is its comment there."""


ImageReference = Annotated[str, Field(max_length=255, pattern=r"^\S*$")]
ImageTag = Annotated[str, Field(max_length=128, pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$")]
ImageDigest = Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")]
NamespaceName = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
Line = Annotated[str, Field(min_length=1, pattern=r"^\S+$")]
"""One entry of a list in the admission policy's ConfigMap, which has one a line."""
