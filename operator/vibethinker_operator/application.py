"""Wires the operator together: one client, one scraper, one loop. I/O."""

import aiohttp
from kubernetes.aio import client
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, start_http_server

from vibethinker_operator import names
from vibethinker_operator.clock import Clock
from vibethinker_operator.cluster import Cluster, load_configuration
from vibethinker_operator.errors import ClusterError
from vibethinker_operator.images import DefaultImages
from vibethinker_operator.inventory import Inventory
from vibethinker_operator.loop import ReconcileLoop
from vibethinker_operator.metrics import OperatorCollector
from vibethinker_operator.reconcile import Reconciler
from vibethinker_operator.root_key import ensure_root_key
from vibethinker_operator.scrape import FleetScraper, build_session
from vibethinker_operator.settings import Settings
from vibethinker_operator.start_check import require_resources


class Application:
    """The operator's parts, made once at the start."""

    def __init__(
        self,
        *,
        inventory: Inventory,
        reconciler: Reconciler,
        loop: ReconcileLoop,
        cluster: Cluster,
        session: aiohttp.ClientSession,
    ) -> None:
        self.inventory = inventory
        self.reconciler = reconciler
        self.loop = loop
        self._cluster = cluster
        self._session = session

    @classmethod
    async def create(cls, settings: Settings, inventory: Inventory) -> "Application":
        """Returns the operator, ready to run.

        Raises:
            ClusterError: resources cannot be watched, or the root key neither read nor made.
        """
        cluster = Cluster(client.ApiClient(await load_configuration()))
        try:
            await require_resources(cluster, settings.namespaces)
            root_key = await ensure_root_key(cluster, settings.namespace)
        except ClusterError:
            await cluster.close()
            raise
        session = build_session()
        clock = Clock()
        scraper = FleetScraper(session, clock.now)
        reconciler = Reconciler(
            cluster=cluster,
            scraper=scraper,
            clock=clock,
            images=DefaultImages(
                package=settings.package_image,
                engine_gpu=settings.engine_image_gpu,
                engine_cpu=settings.engine_image_cpu,
                engine_llama_cpp=settings.engine_image_llama_cpp,
            ),
            root_key=root_key,
        )
        loop = ReconcileLoop(
            snapshots=inventory.snapshots,
            tick=reconciler.tick,
            clock=clock,
            interval_seconds=settings.loop_seconds,
        )
        durations = (loop.tick_seconds, scraper.scrape_seconds, cluster.request_seconds)
        registry = build_registry(loop, reconciler, durations)
        start_http_server(names.METRICS_PORT, registry=registry)
        return cls(
            inventory=inventory,
            reconciler=reconciler,
            loop=loop,
            cluster=cluster,
            session=session,
        )

    def forget(self, uid: str) -> None:
        """Drops everything about a deleted resource."""
        self.inventory.drop(uid)
        self.reconciler.forget(uid)

    async def close(self) -> None:
        """Closes every connection."""
        await self._session.close()
        await self._cluster.close()


def build_registry(
    loop: ReconcileLoop, reconciler: Reconciler, durations: tuple[Histogram, ...]
) -> CollectorRegistry:
    """Returns everything that the operator exports."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    for histogram in durations:
        registry.register(histogram)
    registry.register(
        OperatorCollector(
            loop=loop,
            views=lambda: tuple(reconciler.views.values()),
            conditions=lambda: tuple(reconciler.conditions.values()),
            refused_samples=reconciler.refused_samples,
            failed_writes=reconciler.failed_writes,
        )
    )
    return registry
