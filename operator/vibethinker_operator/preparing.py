"""Asks the pod that prepares weights how far it is. I/O."""

from vibethinker_operator.fleet import Fleet
from vibethinker_operator.keys import derive_fleet_token
from vibethinker_operator.preparation import PreparationState
from vibethinker_operator.samples import Sample
from vibethinker_operator.scrape import FleetScraper, build_target


async def ask_preparing_pod(fleet: Fleet, scraper: FleetScraper, root_key: bytes) -> Sample | None:
    """Returns what the pod says; None where there is none at work, or it does not answer."""
    preparation = fleet.preparation
    if preparation is None or preparation.state is not PreparationState.RUNNING:
        return None
    token = derive_fleet_token(root_key, fleet.resource.metadata.uid)
    target = build_target(preparation.pod, token=token, message={}) if preparation.pod else None
    if target is None:
        return None
    (reading,) = await scraper.sweep((target,))
    return reading if isinstance(reading, Sample) else None
