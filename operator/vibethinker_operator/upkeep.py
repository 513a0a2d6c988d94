"""Keeps the objects of a fleet as they should be. I/O."""

from dataclasses import dataclass, replace

from vibethinker_operator.causes import Cause, describe_refusal
from vibethinker_operator.children import (
    Manifest,
    Written,
    build_children,
    build_secret,
    select_unwritten,
)
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.errors import ClusterError
from vibethinker_operator.fleet import Fleet
from vibethinker_operator.preparation import Preparation, PreparationState
from vibethinker_operator.resources import build_preparation_job

LEFTOVER = Cause(
    "CleaningUp",
    "the Deployment of a deleted resource of this name is still there: the garbage collector"
    " removes it, and then this one is made",
)


@dataclass(frozen=True)
class Upkeep:
    """What came of it: the record of what is written now, and what stood in the way."""

    written: Written
    problem: Cause | None = None


async def keep_children(
    cluster: Cluster, fleet: Fleet, root_key: bytes, written: Written, now: float
) -> Upkeep:
    """Creates the Secret where it is missing and applies whatever is not as it should be."""
    if fleet.leftover:
        return Upkeep(written, LEFTOVER)
    generation = fleet.observed.deployment.generation if fleet.observed else None
    deploys = not fleet.waits_for_weights or fleet.deployment is not None
    children = build_children(fleet.resource, fleet.choice if deploys else None)
    unwritten = select_unwritten(children, written, generation=generation, now=now)
    everything = len(unwritten) == len(children)
    try:
        # Creating it again changes nothing where it is there, and brings it back where it is not.
        if everything or not written.secret:
            await cluster.create(build_secret(fleet.resource, root_key))
            written = replace(written, secret=True)
        if fleet.preparation is not None and fleet.preparation.state is PreparationState.MISSING:
            await cluster.create(_build_job(fleet, fleet.preparation))
        for child in unwritten:
            # Without force a foreign object of the same name answers with a conflict. Once there
            # is a Deployment of ours, what somebody edited is taken back.
            await cluster.apply(child, force=generation is not None)
            written = written.note(child)
    except ClusterError as error:
        return Upkeep(written, describe_refusal(error))
    return Upkeep(written.finish(generation, everything_at=now if everything else None))


def _build_job(fleet: Fleet, preparation: Preparation) -> Manifest:
    images = fleet.choice.offered_images
    return build_preparation_job(fleet.resource, preparation.model, images)
