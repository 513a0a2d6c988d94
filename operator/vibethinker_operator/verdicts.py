"""What the conditions and the lease say about a case."""

from vibethinker_operator.case import Answer, Case, find_wanted
from vibethinker_operator.condition_reasons import ConditionReason as Why
from vibethinker_operator.scaling import Growth, GrowthVerdict, Mode, Reason, Rule, Verdict
from vibethinker_operator.supply import find_relief
from vibethinker_operator.wording import count_replicas


def judge_limited(case: Case) -> Verdict:
    """Returns condition `ScalingLimited`: whether something other than load sets the number."""
    if case.policy.mode is Mode.MANUAL:
        return Verdict(False, Why.DESIRED_WITHIN_RANGE, "spec.replicas alone sets the number")
    limited = _limited_by_cluster(case) or _limited_by_spec(case)
    if limited is not None:
        return limited
    between = f"between {case.policy.min_replicas} and {case.policy.max_replicas} replicas"
    return Verdict(False, Why.DESIRED_WITHIN_RANGE, between)


def _limited_by_cluster(case: Case) -> Verdict | None:
    if case.supply.obstacle is not None:
        return Verdict(True, Reason.WAITING_FOR_PLACEMENT, case.supply.obstacle)
    if case.withdrawal is not None:
        return Verdict(True, Reason.STEP_WITHDRAWN, case.withdrawal.message)
    return None


def _limited_by_spec(case: Case) -> Verdict | None:
    policy, wanted, highest = case.policy, find_wanted(case), case.history.highest
    least, most = policy.min_replicas, policy.max_replicas
    if wanted is not None and wanted.replicas > most:
        message = f"{wanted.replicas} replicas are needed, maxReplicas is {most}"
        return Verdict(True, Why.TOO_MANY_REPLICAS, message)
    if least == most:
        return Verdict(True, Why.FIXED_REPLICAS, _describe_fixed(most))
    if not policy.grows:
        message = "overload.policy is Reject: load adds no replicas"
        return Verdict(True, Reason.OVERLOAD_POLICY_REJECT, message)
    if highest is not None and highest < least == case.replicas:
        message = f"{count_replicas(highest)} would do, minReplicas is {least}"
        return Verdict(True, Why.TOO_FEW_REPLICAS, message)
    return None


def judge_active(case: Case, answer: Answer) -> Verdict:
    """Returns condition `ScalingActive`: whether load decides here and now."""
    mode = case.policy.mode
    if mode is Mode.MANUAL:
        return Verdict(False, Reason.MANUAL_MODE, "mode is Manual: replicas are as written")
    if answer.rule is Rule.METRICS_UNAVAILABLE:
        return Verdict(False, answer.reason, answer.message)
    known = f"{case.signals.known} of {case.signals.ready} ready replicas can be read"
    if mode is Mode.ADVISORY:
        return Verdict(False, Why.ADVISORY_MODE, f"mode is Advisory: decided, not applied; {known}")
    return Verdict(True, Why.METRICS_KNOWN, known)


def judge_growth(case: Case, answer: Answer) -> GrowthVerdict:
    """Returns what the lease tells the pods: whether relief can come, and when it is due."""
    policy, supply, wanted = case.policy, case.supply, find_wanted(case)
    if policy.mode is not Mode.AUTO:
        return GrowthVerdict(Growth.NOT_OURS, None, f"mode is {policy.mode}")
    obstacle = _find_no_growth(case, answer)
    on_their_way = len(supply.coming) - len(supply.stuck)
    enough = wanted is None or wanted.replicas <= policy.max_replicas
    if obstacle is None or (on_their_way and enough and policy.grows):
        relief_at = find_relief(supply, case.state.start_times.seconds, case.now)
        if on_their_way:
            return GrowthVerdict(Growth.CAN_GROW, relief_at, f"{on_their_way} on their way")
        return GrowthVerdict(Growth.CAN_GROW, relief_at, "more may be asked for")
    return GrowthVerdict(Growth.CANNOT_GROW, None, obstacle)


def _find_no_growth(case: Case, answer: Answer) -> str | None:
    if not case.policy.grows:
        return "overload.policy is Reject"
    limited = _limited_by_cluster(case)
    if limited is not None:
        # Pods without a node are supply for the next decision, never relief for a waiting user.
        return limited.message
    if case.supply.stuck:
        return f"pod {case.supply.stuck[0].name} waits: {case.supply.stuck[0].waiting_reason}"
    if answer.rule is Rule.METRICS_UNAVAILABLE:
        return answer.message
    if case.replicas >= case.policy.max_replicas:
        return f"maxReplicas is {case.policy.max_replicas}"
    return None


def _describe_fixed(replicas: int) -> str:
    if replicas == 1:
        return (
            "minReplicas and maxReplicas are both 1: never asks for a second GPU;"
            " raise maxReplicas to let it grow"
        )
    return f"minReplicas and maxReplicas are both {replicas}: raise maxReplicas to let it grow"
