"""What the HPA remembers: its proposals, and the changes that it made.

Kubernetes v1.37.2, pkg/controller/podautoscaler/horizontal.go. Windows are open at their far end,
except that of an HPA without `spec.behavior`.
"""

from tests.bench.sim.peers.hpa_behavior import Rules


class Proposals:
    """Proposals before stabilization, by the second they were made.

    Args:
        keep_seconds: How long one may be asked for.
    """

    def __init__(self, keep_seconds: float) -> None:
        self._keep_seconds = keep_seconds
        self._made: list[tuple[float, int]] | None = None

    def begin(self, now: float, current: int) -> None:
        """Takes the replicas at the very first look for a proposal."""
        if self._made is None:
            self._made = [(now, current)]

    def add(self, now: float, proposal: int) -> None:
        """Remembers a proposal, and forgets those of no further use."""
        kept = [one for one in self._made or () if now - one[0] <= self._keep_seconds]
        self._made = [*kept, (now, proposal)]

    def within(self, now: float, seconds: float) -> list[int]:
        """Returns the proposals of less than `seconds` ago."""
        return [proposal for at, proposal in self._made or () if now - at < seconds]

    def up_to(self, now: float, seconds: float) -> list[int]:
        """Returns the proposals of `seconds` ago and less."""
        return [proposal for at, proposal in self._made or () if now - at <= seconds]


class Changes:
    """Changes of the replicas in one direction.

    Args:
        rules: Of this direction. A change older than their longest period gives its place to the
            next one, even if a longer period of the other direction would still count it.
    """

    def __init__(self, rules: Rules) -> None:
        self._keep_seconds = max((policy.period_seconds for policy in rules.policies), default=0)
        self._made: list[tuple[float, int]] = []

    def add(self, now: float, replicas: int) -> None:
        """Remembers a change by `replicas`, which is positive."""
        old = [i for i, (at, _) in enumerate(self._made) if now - at > self._keep_seconds]
        if old:
            self._made[old[-1]] = (now, replicas)
        else:
            self._made.append((now, replicas))

    def within(self, now: float, seconds: float) -> int:
        """Returns by how many replicas the size changed in less than `seconds`."""
        return sum(replicas for at, replicas in self._made if now - at < seconds)
