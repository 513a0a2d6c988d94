"""One tick of one fleet, top to bottom: observe, decide, plan, apply, tell."""

from collections import Counter
from dataclasses import dataclass, field, replace

from vibethinker_operator.api import parse_status
from vibethinker_operator.api.status import Condition, Status
from vibethinker_operator.children import Written
from vibethinker_operator.clock import Clock
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.errors import InvalidSpecError
from vibethinker_operator.execution import Execution
from vibethinker_operator.fleet import Fleet, read_fleet
from vibethinker_operator.fleet_view import FleetView
from vibethinker_operator.images import DefaultImages
from vibethinker_operator.inventory import Key, Snapshot
from vibethinker_operator.notices import NewsMemory, build_notices, tell_transitions
from vibethinker_operator.plan import Action, SetReplicas
from vibethinker_operator.preparing import ask_preparing_pod
from vibethinker_operator.samples import Sample
from vibethinker_operator.scale_counts import ScaleCounts
from vibethinker_operator.scrape import FleetScraper
from vibethinker_operator.status import render_invalid, render_status, resume_scaling
from vibethinker_operator.telling import Told, tell
from vibethinker_operator.turn import Turn, TurnMemory, take_turn
from vibethinker_operator.upkeep import Upkeep, keep_children


@dataclass(frozen=True)
class FleetMemory:
    """What one tick leaves for the next. Kept in the process; a restart has only the status."""

    told: Told
    turn: TurnMemory
    written: Written = field(default_factory=Written)
    news: NewsMemory = field(default_factory=NewsMemory)
    scaled: ScaleCounts = field(default_factory=ScaleCounts)


class Reconciler:
    """Ticks fleets. Collaborators do the I/O; what is remembered is frozen and kept by uid."""

    def __init__(
        self,
        *,
        cluster: Cluster,
        scraper: FleetScraper,
        clock: Clock,
        images: DefaultImages,
        root_key: bytes,
    ) -> None:
        self._cluster = cluster
        self._scraper = scraper
        self._clock = clock
        self._images = images
        self._root_key = root_key
        self._memories: dict[str, FleetMemory] = {}
        self.views: dict[str, FleetView] = {}
        self.conditions: dict[str, tuple[Key, tuple[Condition, ...]]] = {}
        self.refused_samples: Counter[str] = Counter()
        self.failed_writes: Counter[str] = Counter()

    def forget(self, uid: str) -> None:
        """Drops everything about a deleted fleet."""
        self._memories.pop(uid, None)
        self.views.pop(uid, None)
        self.conditions.pop(uid, None)

    async def tick(self, snapshot: Snapshot, now: float) -> None:
        """Brings one fleet one step on.

        Raises:
            ClusterError: the status could not be written; everything before that was done.
        """
        memory = self._memories.get(snapshot.uid) or resume(snapshot)
        try:
            fleet = read_fleet(snapshot, self._images)
        except InvalidSpecError as error:
            await self._tell_invalid(snapshot, memory, error, now)
            return
        upkeep = await keep_children(self._cluster, fleet, self._root_key, memory.written, now)
        turn = await self._take_turn(fleet, memory)
        preparing = await ask_preparing_pod(fleet, self._scraper, self._root_key)
        self._count(upkeep, turn)
        await self._tell(snapshot, fleet, memory, upkeep, turn, preparing=preparing)

    async def _take_turn(self, fleet: Fleet, memory: FleetMemory) -> Turn | None:
        if fleet.observed is None or fleet.deployment is None:
            return None
        return await take_turn(
            fleet,
            fleet.observed,
            memory.turn,
            execution=Execution(self._cluster, self._scraper, fleet.body, fleet.deployment),
            scraper=self._scraper,
            clock=self._clock,
            root_key=self._root_key,
        )

    async def _tell(
        self,
        snapshot: Snapshot,
        fleet: Fleet,
        memory: FleetMemory,
        upkeep: Upkeep,
        turn: Turn | None,
        *,
        preparing: Sample | None,
    ) -> None:
        now = self._clock.now()
        signals, decision = (turn.signals, turn.decision) if turn else (None, None)
        done = turn.outcome.done if turn else ()
        scaled = count_steps(memory.scaled, done)
        view = FleetView(
            fleet, signals, decision, problem=upkeep.problem, preparing=preparing, scaled=scaled
        )
        status = render_status(view, memory.told.status, now)
        notices, news = build_notices(
            view, done, before=memory.told.status, after=status, memory=memory.news, now=now
        )
        memory = replace(
            memory,
            written=upkeep.written,
            turn=turn.memory if turn else memory.turn,
            news=news,
            scaled=scaled,
        )
        self.views[snapshot.uid] = view
        self._note_conditions(snapshot, status)
        # Kept before telling: a status that cannot be written must not undo what was decided.
        told = replace(memory.told, status=status)
        self._memories[snapshot.uid] = replace(memory, told=told)
        told = await tell(
            self._cluster, snapshot.resource, memory.told, status=status, notices=notices, now=now
        )
        self._memories[snapshot.uid] = replace(memory, told=told)

    async def _tell_invalid(
        self, snapshot: Snapshot, memory: FleetMemory, error: InvalidSpecError, now: float
    ) -> None:
        generation = int(snapshot.resource["metadata"]["generation"])
        status = render_invalid(generation, str(error), memory.told.status, now)
        notices = tuple(tell_transitions(memory.told.status, status))
        # As in a tick that decides: what was told is not told again where the write fails.
        self._memories[snapshot.uid] = replace(memory, told=replace(memory.told, status=status))
        # What was last known of its load would stand still in the metrics, as if it were of now.
        self.views.pop(snapshot.uid, None)
        self._note_conditions(snapshot, status)
        told = await tell(
            self._cluster, snapshot.resource, memory.told, status=status, notices=notices, now=now
        )
        self._memories[snapshot.uid] = replace(memory, told=told)

    def _note_conditions(self, snapshot: Snapshot, status: Status) -> None:
        self.conditions[snapshot.uid] = (snapshot.key, status.conditions or ())

    def _count(self, upkeep: Upkeep, turn: Turn | None) -> None:
        if upkeep.problem is not None:
            self.failed_writes["children"] += 1
        if turn is not None:
            self.refused_samples.update(refused.reason for refused in turn.refused)
            self.failed_writes.update(type(action).__name__ for action, _ in turn.outcome.failed)


def count_steps(counts: ScaleCounts, done: tuple[Action, ...]) -> ScaleCounts:
    """Returns the counts after what was done in one tick."""
    for action in done:
        if isinstance(action, SetReplicas):
            counts = counts.add(action.current, action.replicas)
    return counts


def resume(snapshot: Snapshot) -> FleetMemory:
    """Returns the memory of a fleet that this process sees for the first time."""
    status = parse_status(snapshot.resource.get("status") or {})
    return FleetMemory(told=Told(status, status), turn=TurnMemory(scaling=resume_scaling(status)))
