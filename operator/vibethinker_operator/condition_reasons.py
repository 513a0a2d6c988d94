"""The words that conditions give as their reason, where no other part of the code names them.

Reasons of decisions are in `scaling.Reason`. Where the cluster stands in the way, its own word is
the reason (ErrImagePull, FailedCreate).
"""

from enum import StrEnum


class ConditionReason(StrEnum):
    """Why a condition is as it is, in one word for programs."""

    SERVING = "Serving"
    CREATING = "Creating"
    STARTING = "Starting"
    PREPARING_MODEL = "PreparingModel"
    PREPARATION_FAILED = "PreparationFailed"
    SCALED_TO_ZERO = "ScaledToZero"
    INVALID_SPEC = "InvalidSpec"
    NAME_TAKEN = "NameTaken"
    WRITE_FORBIDDEN = "WriteForbidden"
    WRITE_REFUSED = "WriteRefused"
    API_UNAVAILABLE = "ApiUnavailable"
    UNSCHEDULABLE = "Unschedulable"
    DRAINING = "Draining"
    ROLLING_OUT = "RollingOut"
    COMPLETE = "Complete"
    METRICS_KNOWN = "MetricsKnown"
    ADVISORY_MODE = "AdvisoryMode"
    NO_DEPLOYMENT = "NoDeployment"
    DESIRED_WITHIN_RANGE = "DesiredWithinRange"
    TOO_MANY_REPLICAS = "TooManyReplicas"
    TOO_FEW_REPLICAS = "TooFewReplicas"
    FIXED_REPLICAS = "FixedReplicas"
    LINE_REACHABLE = "LineReachable"
    QUEUE_DECIDES = "QueueDecides"
    DOES_NOT_FIT = "DoesNotFit"
    MEMORY_UNKNOWN = "MemoryUnknown"
    VERSION_TESTED = "VersionTested"
    VERSION_UNTESTED = "VersionUntested"
    VERSION_UNKNOWN = "VersionUnknown"
    UP_TO_DATE = "UpToDate"
    NEWER_TEMPLATE = "NewerTemplate"
