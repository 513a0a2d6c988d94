"""The registry of an operator that has seen nothing yet, made as the operator makes it."""

import asyncio
from dataclasses import dataclass

from kubernetes.aio import client
from prometheus_client import CollectorRegistry, Histogram
from vibethinker_operator.application import build_registry
from vibethinker_operator.clock import Clock
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.images import DefaultImages
from vibethinker_operator.loop import ReconcileLoop
from vibethinker_operator.reconcile import Reconciler
from vibethinker_operator.scrape import FleetScraper, build_session


@dataclass(frozen=True)
class OperatorMetrics:
    """What an operator exports, and its histograms: unobserved ones show no labels."""

    registry: CollectorRegistry
    durations: tuple[Histogram, ...]


def build_operator_metrics() -> OperatorMetrics:
    """Returns what an operator exports; nothing is asked of any cluster or pod."""
    return asyncio.run(_build())


async def _build() -> OperatorMetrics:
    cluster, session = Cluster(client.ApiClient(client.Configuration())), build_session()
    try:
        clock = Clock(wall=lambda: 0.0, monotonic=lambda: 0.0)
        scraper = FleetScraper(session, clock.now)
        reconciler = Reconciler(
            cluster=cluster,
            scraper=scraper,
            clock=clock,
            images=DefaultImages(package="", engine_gpu=""),
            root_key=b"",
        )
        loop = ReconcileLoop(
            snapshots=tuple, tick=reconciler.tick, clock=clock, interval_seconds=1.0
        )
        durations = (loop.tick_seconds, scraper.scrape_seconds, cluster.request_seconds)
        return OperatorMetrics(build_registry(loop, reconciler, durations), durations)
    finally:
        await session.close()
        await cluster.close()
