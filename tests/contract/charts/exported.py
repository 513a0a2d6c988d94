"""Every series that our code exports, read from its own collectors; vLLM's are its own."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from kubernetes.aio import client
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from vibethinker_operator.cluster import Cluster
from vibethinker_operator.conditions import render_conditions
from vibethinker_operator.loop import ReconcileLoop
from vibethinker_operator.metrics import OperatorCollector
from vibethinker_operator.scrape import FleetScraper, build_session
from vibethinker_server.collector import FleetCollector, RequestCollector

from tests.support.server_runtime import make_rig
from tests.unit.deciding.builders import START, make_observed, make_pod
from tests.unit.operating.builders import Time
from tests.unit.operating.views import decide_once, make_view, read_once


async def operator_series() -> set[str]:
    """Returns the names on the operator's page, whether they have a value just now or not."""
    observed = make_observed(make_pod("a"))
    view = make_view(observed, signals=read_once(observed), decision=decide_once())
    told = (("team", "chat"), render_conditions(view, (), START))
    clock = Time().clock()

    async def tick(*_: object) -> None:
        raise NotImplementedError

    loop = ReconcileLoop(snapshots=list, tick=tick, clock=clock, interval_seconds=1.0)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    cluster = Cluster(client.ApiClient(client.Configuration(host="http://127.0.0.1:1")))
    async with build_session() as session:
        scraper = FleetScraper(session, clock.now)
        for durations in (loop.tick_seconds, scraper.scrape_seconds, cluster.request_seconds):
            registry.register(durations)
    await cluster.close()
    registry.register(
        OperatorCollector(
            loop=loop,
            views=lambda: [view],
            conditions=lambda: [told],
            refused_samples=Counter(),
            failed_writes=Counter(),
        )
    )
    return _series_of(registry.collect())


def server_series(directory: Path) -> set[str]:
    """Returns the names on a server pod's page, vLLM's left out."""
    runtime = make_rig(directory).runtime
    runtime.gpu_util_ratio, runtime.backlog = 0.5, lambda: 0
    runtime.registry.register(FleetCollector(runtime))
    runtime.registry.register(RequestCollector(runtime))
    return _series_of(runtime.registry.collect())


def _series_of(families: Iterable[Metric]) -> set[str]:
    ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    return {family.name + end for family in families for end in ends[family.type]}
