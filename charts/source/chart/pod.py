"""What a release may add to the operator's own pod."""

from typing import Annotated

from pydantic import Field
from vibethinker_operator.api.base import ApiModel, LabelValue, ObjectName
from vibethinker_operator.api.workload import Amounts
from vibethinker_operator.manifests.installation import build_operator_deployment

from charts.source.chart.base import ValuesModel


class PullSecret(ValuesModel):
    """A Secret with a registry's credentials."""

    name: ObjectName
    """Its name, in the release's namespace."""


class KeyReference(ValuesModel):
    """One entry of a ConfigMap or Secret."""

    name: ObjectName
    """The object."""

    key: Annotated[str, Field(min_length=1)]
    """Its entry."""

    optional: bool = False
    """Start without it."""


class FieldReference(ValuesModel):
    """A field of the pod."""

    api_version: str = "v1"
    """Version that the path is read in."""

    field_path: Annotated[str, Field(min_length=1)]
    """The field, such as status.podIP."""


class VariableSource(ValuesModel):
    """Where a variable's value comes from."""

    config_map_key_ref: KeyReference | None = None
    """An entry of a ConfigMap."""

    secret_key_ref: KeyReference | None = None
    """An entry of a Secret."""

    field_ref: FieldReference | None = None
    """A field of the pod."""


class Variable(ValuesModel):
    """A variable of the operator's environment."""

    name: Annotated[str, Field(min_length=1)]
    """Its name."""

    value: str | None = None
    """Its value."""

    value_from: VariableSource | None = None
    """Where its value comes from instead."""


class VolumeMount(ValuesModel):
    """Where one of extraVolumes appears."""

    name: Annotated[str, Field(min_length=1)]
    """The volume."""

    mount_path: Annotated[str, Field(min_length=1)]
    """The path."""

    sub_path: str = ""
    """A path inside the volume."""

    read_only: bool = False
    """Whether it may not be written."""


class Resources(ApiModel):
    """What the operator's container asks for, and what it may use at most."""

    requests: Amounts = Amounts()
    """What the scheduler sets aside."""

    limits: Amounts = Amounts()
    """What the container may use at most."""


class ServiceAccount(ValuesModel):
    """The operator's account."""

    annotations: dict[str, str] = Field(default={})
    """Annotations on it."""


def default_resources() -> Resources:
    """Returns what manifests/ give the operator."""
    (container,) = build_operator_deployment()["spec"]["template"]["spec"]["containers"]
    return Resources.model_validate(container["resources"])


NodeSelector = dict[str, LabelValue]
