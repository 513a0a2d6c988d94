"""Which two images a fleet's pods are made of. Pure."""

from dataclasses import asdict, dataclass

from vibethinker_operator.api import Backend, Device, Spec
from vibethinker_operator.errors import InvalidSpecError


@dataclass(frozen=True, kw_only=True)
class DefaultImages:
    """The operator's defaults. An empty engine image means that there is no default."""

    package: str
    engine_gpu: str
    engine_cpu: str = ""
    engine_llama_cpp: str = ""


@dataclass(frozen=True, kw_only=True)
class Images:
    """A pair that pods run: a stock engine image, and the image our package is copied from."""

    engine: str
    package: str

    def render(self) -> dict[str, str]:
        """Returns the pair as the Deployment's annotation holds it."""
        return asdict(self)


def resolve_images(spec: Spec, defaults: DefaultImages) -> Images:
    """Returns the pair that a fresh pod of this fleet would run.

    Raises:
        InvalidSpecError: no engine image is named, and the operator has no default.
    """
    engine = spec.engine.image or _default_engine(spec, defaults)
    if not engine:
        raise InvalidSpecError(
            f"spec.engine.image is required with engine.device {spec.engine.device}: this operator"
            " has no default engine image for it (VIBETHINKER_ENGINE_IMAGE_CPU)"
        )
    return Images(engine=engine, package=defaults.package)


def _default_engine(spec: Spec, defaults: DefaultImages) -> str:
    if spec.engine.backend is Backend.LLAMA_CPP:
        return defaults.engine_llama_cpp
    return defaults.engine_gpu if spec.engine.device is Device.GPU else defaults.engine_cpu
