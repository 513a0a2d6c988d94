"""Images that a release names: the operator's own, and the pair that its fleets run."""

from enum import StrEnum

from vibethinker_operator import names
from vibethinker_operator.manifests.installation import PACKAGE_IMAGE
from vibethinker_operator.settings import Settings

from charts.source.chart.base import ImageDigest, ImageReference, ImageTag, ValuesModel


class PullPolicy(StrEnum):
    """When the kubelet pulls an image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class OperatorImage(ValuesModel):
    """The operator's image, built from this repository's Dockerfile."""

    registry: ImageReference = ""
    """Registry before the repository, such as registry.example.com/team."""

    repository: ImageReference = names.OPERATOR_NAME
    """Repository."""

    tag: ImageTag = ""
    """Tag; empty: the chart's appVersion."""

    digest: ImageDigest = ""
    """Digest, such as sha256:…; it wins over the tag."""

    pull_policy: PullPolicy = PullPolicy.IF_NOT_PRESENT
    """When a node pulls it."""


class ServerImage(ValuesModel):
    """The image that the server package is copied from into each server pod."""

    registry: ImageReference = ""
    """Registry before the repository, such as registry.example.com/team."""

    repository: ImageReference = PACKAGE_IMAGE.partition(":")[0]
    """Repository."""

    tag: ImageTag = ""
    """Tag; empty: the chart's appVersion."""

    digest: ImageDigest = ""
    """Digest, such as sha256:…; it wins over the tag."""


class EngineImage(ValuesModel):
    """A stock engine image."""

    registry: ImageReference = ""
    """Registry before the repository; empty: the node's default."""

    repository: ImageReference = ""
    """Repository; empty: there is no default, and fleets of this device name their image."""

    tag: ImageTag = ""
    """Tag."""

    digest: ImageDigest = ""
    """Digest, such as sha256:…; it wins over the tag."""


def _default_engine_image(setting: str) -> EngineImage:
    repository, _, tag = str(Settings.model_fields[setting].default).partition(":")
    return EngineImage(repository=repository, tag=tag)


class DefaultEngineImage(ValuesModel):
    """Engine images of fleets that name none in spec.engine.image."""

    gpu: EngineImage = _default_engine_image("engine_image_gpu")
    """Of fleets on GPUs."""

    cpu: EngineImage = EngineImage()
    """Of fleets on CPUs."""

    llama_cpp: EngineImage = _default_engine_image("engine_image_llama_cpp")
    """Of fleets with engine.backend LlamaCpp; in production name a digest."""
