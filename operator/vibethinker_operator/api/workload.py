"""`spec.service` and `spec.resources`: how clients reach the fleet, what a container may use."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from vibethinker_operator.api.base import ApiModel, Quantity, Rule, rules


class ServiceType(StrEnum):
    """How a Service is reached."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class Service(ApiModel):
    """How clients reach the fleet."""

    type: ServiceType = ServiceType.CLUSTER_IP
    """Type of the Service."""

    port: Annotated[int, Field(ge=1, le=65_535)] = 8000
    """Port of the Service."""


class Amounts(ApiModel):
    """Amounts of what a container uses. GPUs are not among them: a replica takes one."""

    cpu: Quantity | None = None
    """Processor time in cores, such as 4 or "500m"."""

    memory: Quantity | None = None
    """Memory, such as "16Gi"."""

    ephemeral_storage: Annotated[Quantity | None, Field(alias="ephemeral-storage")] = None
    """Disk of the node, such as "20Gi"; caches without a claim count here."""


def _within_limit(field: str) -> Rule:
    requested, limit = f"self.requests.{field}", f"self.limits.{field}"
    return Rule(
        rule=f"!has({requested}) || !has({limit})"
        f" || quantity(string({requested})).compareTo(quantity(string({limit}))) <= 0",
        message=f"requests.{field} must be <= limits.{field}",
        fieldPath=f".requests.{field}",
    )


class Resources(ApiModel):
    """What the engine container asks for, and what it may use at most."""

    model_config = ConfigDict(
        json_schema_extra=rules(_within_limit("cpu"), _within_limit("memory"))
    )

    requests: Amounts = Amounts()
    """What the scheduler sets aside."""

    limits: Amounts = Amounts()
    """What the container may use at most. On CPU the memory limit is required: memory in use is
    measured against it."""
