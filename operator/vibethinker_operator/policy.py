"""The spec as deciding reads it. Pure."""

from vibethinker_operator.api import OverloadPolicy, Spec
from vibethinker_operator.observed import Observed
from vibethinker_operator.scaling import Growth, GrowthVerdict, Mode, ScalingPolicy


def build_scaling_policy(spec: Spec) -> ScalingPolicy:
    """Returns what the spec asks of scaling."""
    scaling, saturation = spec.scaling, spec.saturation
    return ScalingPolicy(
        mode=Mode(scaling.mode.value),
        written_replicas=spec.replicas,
        min_replicas=scaling.min_replicas,
        max_replicas=scaling.max_replicas,
        memory_used_percentage=saturation.memory_used_percentage,
        request_queue_length=saturation.request_queue_length,
        sustained_seconds=saturation.sustained_seconds,
        stabilization_seconds=scaling.scale_down_stabilization_seconds,
        startup_deadline_seconds=scaling.startup_deadline_seconds,
        provisioning_deadline_seconds=scaling.provisioning_deadline_seconds,
        grows=spec.overload.policy is not OverloadPolicy.REJECT,
    )


def assume_growth(policy: ScalingPolicy, observed: Observed) -> GrowthVerdict:
    """Returns what the first lease after a start says, before anything has been decided."""
    if policy.mode is not Mode.AUTO:
        return GrowthVerdict(Growth.NOT_OURS, None, f"mode {policy.mode}")
    if policy.grows and observed.spec_replicas < policy.max_replicas:
        return GrowthVerdict(Growth.CAN_GROW, None, "below maxReplicas")
    return GrowthVerdict(Growth.CANNOT_GROW, None, "at maxReplicas")
