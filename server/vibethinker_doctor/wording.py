"""A finding in words, for somebody with a cluster and for somebody with one machine. Pure."""

from vibethinker_doctor.finding import Finding

ENGINE = "engine."
"""Fields below it are what `start --set` changes too, named without it."""
NOT_ON_A_MACHINE = frozenset({"engine.image"})
"""But these: there the engine is what is installed."""


def name_in_cluster(finding: Finding) -> str | None:
    """Returns what to change in the resource; None where no field mends it."""
    if finding.field is None:
        return None
    path = f"spec.{finding.field}"
    return f"change {path}" if finding.value is None else f"set {path} to {finding.value}"


def name_on_machine(finding: Finding) -> str | None:
    """Returns what to add to `start`; None where it has nothing for that."""
    if finding.field is None or finding.field in NOT_ON_A_MACHINE:
        return None
    if not finding.field.startswith(ENGINE):
        return None
    path = finding.field.removeprefix(ENGINE)
    return f"--set {path}={'…' if finding.value is None else finding.value}"


def tell_in_cluster(finding: Finding) -> str:
    """Returns cause and remedy in one sentence; the remedy names the resource's field."""
    return _tell(finding, name_in_cluster(finding))


def tell_on_machine(finding: Finding) -> str:
    """Returns cause and remedy in one sentence; the remedy names what to say to `start`."""
    return _tell(finding, name_on_machine(finding))


def _tell(finding: Finding, change: str | None) -> str:
    how = finding.remedy if change is None else f"{finding.remedy}: {change}"
    return f"{finding.cause}; remedy: {how}"
