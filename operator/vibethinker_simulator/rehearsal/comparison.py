"""The question, and the answer to it: the resource as written beside others on one trace."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vibethinker_operator.api import VibeThinkerDeployment
from vibethinker_operator.figures import weight_format
from vibethinker_operator.kv import assess_memory_line
from vibethinker_operator.model_sizes import WeightFormat

from vibethinker_simulator.blueprint import build_blueprint
from vibethinker_simulator.outcome import Fate
from vibethinker_simulator.rehearsal.arm import Arm, Played, first_replicas_of, play
from vibethinker_simulator.trace import Trace

AS_WRITTEN = "as written"

NamedResource = tuple[str, VibeThinkerDeployment]
"""A resource, and what the table calls it."""


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        resource: The resource as written.
        trace: The load.
        changed: The same with some fields changed; None: only the one is played.
        static: Size of a fixed fleet to compare with; None: none.
        first_replicas: Pods that are Ready when the trace begins; None: as each resource says.
        start_seconds: From a pod's making to its being Ready.
        seed: Of where connections are placed.
    """

    resource: VibeThinkerDeployment
    trace: Trace
    changed: NamedResource | None = None
    static: int | None = None
    first_replicas: int | None = None
    start_seconds: float = 60.0
    seed: int = 1


@dataclass(frozen=True)
class Comparison:
    """What came of it; the first of `played` is the resource as written."""

    question: Question
    played: tuple[Played, ...]

    @property
    def title(self) -> str:
        """What stands above every table and picture: nothing here is measured."""
        sources = dict.fromkeys(played.blueprint.speed.source for played in self.played)
        return f"{self.question.trace.name}: simulated, with constants {'; '.join(sources)}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader has to know beside the figures; of which arms, where not of all."""
        arms: dict[str, list[str]] = {}
        deciding = [one for one in self.played if not one.arm.fixed]
        for played in deciding:
            for note in _list_notes(played):
                arms.setdefault(note, []).append(played.arm.name)
        said = [
            note if len(names) == len(deciding) else f"{', '.join(names)}: {note}"
            for note, names in arms.items()
        ]
        fixed = [one.arm.name for one in self.played if one.arm.fixed]
        return (*said, *(f"{name}: a fleet of one size that lets everybody in" for name in fixed))


def rehearse(question: Question, report: Callable[[str, float], None]) -> Comparison:
    """Plays every arm; `report` is told its name and the second that it reached.

    Raises:
        BlueprintError: nothing is known of the pods of an arm.
    """
    arms = list(_list_arms(question))
    for arm in arms:
        # What cannot be played is said before anything is.
        build_blueprint(arm.resource)
    return Comparison(
        question,
        tuple(
            play(
                arm,
                question.trace,
                start_seconds=question.start_seconds,
                seed=question.seed,
                report=lambda second, name=arm.name: report(name, second),  # type: ignore[misc]
            )
            for arm in arms
        ),
    )


def _list_arms(question: Question) -> Iterator[Arm]:
    resources = [(AS_WRITTEN, question.resource)]
    if question.changed is not None:
        resources.append(question.changed)
    for name, resource in resources:
        yield Arm(name, resource, question.first_replicas or first_replicas_of(resource))
    if question.static is not None:
        yield Arm(f"static {question.static}", question.resource, question.static, fixed=True)


def _list_notes(played: Played) -> Iterator[str]:
    spec, fates = played.arm.resource.spec, played.outcome.fates
    too_long = fates.count(Fate.TOO_LONG)
    if too_long:
        yield (
            f"{too_long:,} of {len(fates):,} requests are longer than engine.maxModelLen"
            f" ({spec.engine.max_model_len:,}) and count in no figure"
        )
    yield f"memory: {assess_memory_line(spec).message}"
    if weight_format(spec) is not WeightFormat.FLOAT:
        yield "steps are taken to be as fast as with weights of 16 bits"
