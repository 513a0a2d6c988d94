"""The base of every type of the resource, and the field types that several of them share."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """A frozen part of the resource: snake_case here, camelCase in YAML, unknown keys refused.

    The string under a field is what `kubectl explain` shows.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule across fields, which the API server checks in CEL at every write.

    Attributes:
        rule: the CEL expression, true where all is well; `self` is the object it stands on.
        message: what the writer reads: the field, what is wrong with it, what to do.
        fieldPath: the field to blame, relative to the object the rule stands on.
    """

    rule: str
    message: str
    fieldPath: str  # noqa: N815 (the API server's own spelling)


def rules(*several: Rule) -> dict[str, Any]:
    """Returns the schema keys that make the API server check `several`."""
    return {"x-kubernetes-validations": [asdict(rule) for rule in several]}


def list_map(*keys: str) -> dict[str, Any]:
    """Returns the schema keys of a list whose items are told apart by `keys`."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


ATOMIC_LIST: Final = {"x-kubernetes-list-type": "atomic"}

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"

ObjectName = Annotated[str, Field(max_length=253, pattern=rf"^({_LABEL}(\.{_LABEL})*)?$")]
"""The name of a Kubernetes object, or empty for none."""

SecretName = Annotated[
    str, Field(max_length=253, pattern=rf"^(vibethinker-{_LABEL}(\.{_LABEL})*)?$")
]
"""The name of a Secret that a resource may name, or empty for none."""

QUALIFIED_NAME = r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"

LabelKey = Annotated[str, Field(min_length=1, max_length=128, pattern=rf"^{QUALIFIED_NAME}$")]
"""A label or taint key. Kubernetes allows 317 characters; real ones are below 64."""

LabelValue = Annotated[
    str, Field(max_length=63, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$")
]

Quantity = Annotated[
    int | str,
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "maxLength": 20,
            "pattern": r"^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$",
        }
    ),
]
"""An amount as Kubernetes writes it: 2, "500m", "6.75Gi"."""


def _render_time(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Timestamp = Annotated[AwareDatetime, PlainSerializer(_render_time, return_type=str)]
"""A time in UTC, written to the second as Kubernetes does."""
