"""One simulated pod, as the cluster shows it."""

from dataclasses import replace

from vibethinker_operator.observed import ObservedPod

from vibethinker_simulator.server import Server


class Pod:
    """A pod from its making to its end. Times are simulated unix seconds.

    Attributes:
        number: Which it is, in the order of their making.
        observed: What the cluster shows of it.
        server: Its server; None until it is Ready, and while it starts anew.
        starting_since: When its process last began to start.
        terminating_since: When its end was asked for; None before.
    """

    def __init__(self, number: int, now: float) -> None:
        self.number = number
        self.observed = _make_observed(number, now)
        self.server: Server | None = None
        self.starting_since = now
        self.terminating_since: float | None = None

    def get_ready(self, server: Server, now: float) -> None:
        """Serves from `now` on."""
        self.server = server
        self.show(ready=True, ready_since=now, unready_since=None)

    def fail(self, now: float) -> list[int]:
        """Ends its process, which starts anew; returns the numbers of the requests it had."""
        cut = self.end()
        self.starting_since = now
        restarts = self.observed.restarts + 1
        self.show(ready=False, ready_since=None, unready_since=now, restarts=restarts)
        return cut

    def end(self) -> list[int]:
        """Ends its process; returns the numbers of the requests it had."""
        server, self.server = self.server, None
        if server is None:
            return []
        server.alive = False
        return [sequence.number for sequence in server.replica.inside]

    def show(self, **facts: object) -> None:
        """Changes what the cluster shows of it."""
        self.observed = replace(self.observed, **facts)  # type: ignore[arg-type]


def _make_observed(number: int, now: float) -> ObservedPod:
    return ObservedPod(
        uid=f"pod-{number}",
        name=f"pod-{number}",
        namespace="simulated",
        ip=f"10.0.{number // 250 % 250}.{number % 250 + 1}",
        node="simulated",
        created=now,
        template_hash="simulated",
        scheduled_since=now,
        unschedulable_message=None,
        ready=False,
        ready_since=None,
        unready_since=now,
        terminating=False,
        finished=False,
        waiting_reason=None,
        waiting_message=None,
        pulling=False,
        restarts=0,
        last_termination=None,
        draining_since=None,
        deletion_cost=None,
    )
