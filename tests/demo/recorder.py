"""Reads the fleet once a second: every pod's ops page, the custom resource, the Deployment."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from tests.demo import names
from tests.demo.chat import Clock
from tests.demo.fleet import Page, fold_fleet, fold_pod, parse_page
from tests.demo.kubeapi import KubeApi
from tests.demo.rows import Sample

PERIOD_SECONDS = 1.0
PAGE_SECONDS = 2.0

Sweep = Sequence[Sample]


class Recorder:
    """Sweeps until cancelled; `latest` is the newest sweep, one row per pod."""

    def __init__(
        self,
        *,
        api: KubeApi,
        namespace: str,
        name: str,
        clock: Clock,
        phase: Callable[[], str],
        write: Callable[[Sweep], None],
    ) -> None:
        self.latest: Sweep = ()
        self._api = api
        self._namespace = namespace
        self._name = name
        self._clock = clock
        self._phase = phase
        self._write = write

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=PAGE_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            while True:
                began = self._clock()
                try:
                    self.latest = await self._sweep(http)
                except (aiohttp.ClientError, TimeoutError) as error:
                    # A gap in the recording is visible to the claims; the demo goes on.
                    print(f"recorder: sweep left out: {type(error).__name__}: {error}", flush=True)
                else:
                    self._write(self.latest)
                await asyncio.sleep(max(0.0, PERIOD_SECONDS - (self._clock() - began)))

    async def _sweep(self, http: aiohttp.ClientSession) -> Sweep:
        scope = f"namespaces/{self._namespace}"
        custom, deployments, pods = await asyncio.gather(
            self._api.read(
                f"/apis/{names.GROUP}/{names.VERSION}/{scope}/{names.PLURAL}/{self._name}"
            ),
            self._api.read(
                f"/apis/apps/v1/{scope}/deployments", fieldSelector=f"metadata.name={self._name}"
            ),
            self._api.read(
                f"/api/v1/{scope}/pods",
                labelSelector=f"{names.NAME_LABEL}={names.SERVER_NAME},"
                f"{names.INSTANCE_LABEL}={self._name}",
            ),
        )
        pages = await asyncio.gather(*(_read_page(http, pod) for pod in pods["items"]))
        deployment: dict[str, Any] = next(iter(deployments["items"]), {})
        fleet = fold_fleet(self._clock(), self._phase(), custom, deployment)
        rows = [fold_pod(fleet, pod, page) for pod, page in zip(pods["items"], pages, strict=True)]
        return rows or [fleet]


async def _read_page(http: aiohttp.ClientSession, pod: dict[str, Any]) -> Page | None:
    address = pod.get("status", {}).get("podIP")
    if not address:
        return None
    url = f"http://{address}:{names.OPS_PORT}/metrics"
    try:
        async with http.get(url, params=[("name[]", name) for name in names.SERIES]) as response:
            return parse_page(await response.text()) if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError):
        # Not up yet, gone or busy: unknown, and the row says so.
        return None
