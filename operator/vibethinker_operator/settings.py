"""The operator's own environment, read once at the start and frozen."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vibethinker_operator.errors import SettingsError

_ImageReference = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^\S+$")]


class Settings(BaseModel):
    """What the operator is told by its Deployment; each field is the variable of its alias."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    namespace: str = Field(alias="OPERATOR_NAMESPACE", min_length=1)
    """Namespace that the operator runs in: its root key lies there."""

    package_image: _ImageReference = Field(alias="VIBETHINKER_PACKAGE_IMAGE")
    """Image that the server package is copied from."""

    engine_image_gpu: _ImageReference = Field(
        alias="VIBETHINKER_ENGINE_IMAGE_GPU", default="vllm/vllm-openai:v0.33.0"
    )
    """Engine image of GPU fleets that name none."""

    engine_image_cpu: str = Field(alias="VIBETHINKER_ENGINE_IMAGE_CPU", default="", max_length=255)
    """Engine image of CPU fleets that name none; empty: they have to name one."""

    engine_image_llama_cpp: _ImageReference = Field(
        alias="VIBETHINKER_ENGINE_IMAGE_LLAMA_CPP", default="ghcr.io/ggml-org/llama.cpp:server"
    )
    """Engine image of fleets with backend LlamaCpp that name none."""

    watched_namespaces: str = Field(alias="VIBETHINKER_NAMESPACES", default="")
    """Namespaces to watch, with commas between; empty: all."""

    loop_seconds: float = Field(alias="VIBETHINKER_LOOP_SECONDS", default=1.0, ge=0.1, le=10)
    """Time between two rounds of the loop."""

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces to watch; none: all."""
        names = (name.strip() for name in self.watched_namespaces.split(","))
        return tuple(name for name in names if name)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Returns the settings in `environment`.

    Raises:
        SettingsError: a variable is missing or unusable; the message names every such one.
    """
    try:
        return Settings.model_validate(dict(environment))
    except ValidationError as error:
        faults = (
            f"{fault['loc'][0]}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        )
        raise SettingsError(f"environment is unusable: {'; '.join(faults)}") from error
