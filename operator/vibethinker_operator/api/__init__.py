"""The resource as types: the source of the CRD, and what every other module reads."""

from vibethinker_operator.api.auth import ApiKeys, Auth
from vibethinker_operator.api.engine import (
    AttentionBackend,
    Backend,
    Device,
    Dtype,
    Engine,
    Gpu,
    KvCacheDtype,
)
from vibethinker_operator.api.model import (
    Gguf,
    GgufOutType,
    Model,
    Quantization,
    QuantizationMethod,
    Source,
)
from vibethinker_operator.api.profiles import (
    ClientSystemMessages,
    Isolation,
    Profile,
    ProfileKind,
)
from vibethinker_operator.api.scaling import (
    Mode,
    Overload,
    OverloadPolicy,
    Rollout,
    Saturation,
    Scaling,
    TokenLimits,
    TokenPreset,
)
from vibethinker_operator.api.scheduling import Scheduling
from vibethinker_operator.api.sessions import Sessions
from vibethinker_operator.api.status import (
    Condition,
    ConditionStatus,
    DecisionStatus,
    EngineStatus,
    MemoryStatus,
    StartPhase,
    StartStatus,
    Status,
    StreakStatus,
)
from vibethinker_operator.api.v1alpha1 import (
    Metadata,
    Spec,
    VibeThinkerDeployment,
    parse_deployment,
    parse_status,
)
from vibethinker_operator.api.workload import Resources, Service

__all__ = [
    "ApiKeys",
    "AttentionBackend",
    "Auth",
    "Backend",
    "ClientSystemMessages",
    "Condition",
    "ConditionStatus",
    "DecisionStatus",
    "Device",
    "Dtype",
    "Engine",
    "EngineStatus",
    "Gguf",
    "GgufOutType",
    "Gpu",
    "Isolation",
    "KvCacheDtype",
    "MemoryStatus",
    "Metadata",
    "Mode",
    "Model",
    "Overload",
    "OverloadPolicy",
    "Profile",
    "ProfileKind",
    "Quantization",
    "QuantizationMethod",
    "Resources",
    "Rollout",
    "Saturation",
    "Scaling",
    "Scheduling",
    "Service",
    "Sessions",
    "Source",
    "Spec",
    "StartPhase",
    "StartStatus",
    "Status",
    "StreakStatus",
    "TokenLimits",
    "TokenPreset",
    "VibeThinkerDeployment",
    "parse_deployment",
    "parse_status",
]
