"""One client with a pool of kept connections, and the lease-giver beside it.

Runs inside the stub fleet's network (see `connections`), prints READY_TO_GROW once enough was
asked of one replica, then waits for the second, and writes what each replica answered.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from tests.bench.connections.shares import Answered, compute_shares
from tests.bench.connections.stub_objects import NAMESPACE, SELECTOR
from tests.demo import names
from tests.demo.chat import CHAT_PATH, POD_HEADER
from tests.demo.kubeapi import KubeApi, open_api, read_kubeconfig
from tests.support.policy_document import POLICY

READY_TO_GROW = "ready to grow"
CONNECTIONS = 32
REQUESTS = 256
# Each pooled connection asks about twice a second: a client that is busy, not a flood.
PAUSE_SECONDS = 0.5
AFTER_SECONDS = 30.0
GROWTH_SECONDS = 180.0
BODY = {"model": "stub", "messages": [{"role": "user", "content": "1"}], "max_tokens": 1}


class Run:
    """One arm: with the closing rule, as the operator would lease it, or without."""

    def __init__(self, *, api: KubeApi, url: str, token: str, rule: bool) -> None:
        self.answers: list[Answered] = []
        self.failures: list[str] = []
        self._api = api
        self._url = url
        self._token = token
        self._rule = rule
        self._ready_at: float | None = None

    async def measure(self) -> dict[str, Any]:
        """The shares of this arm.

        Raises:
            TimeoutError: the second replica did not become Ready.
        """
        pool = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=60)
        async with aiohttp.ClientSession(self._url, connector=pool) as http:
            tasks = [asyncio.create_task(self._ask_on(http)) for _ in range(CONNECTIONS)]
            tasks.append(asyncio.create_task(self._lease()))
            try:
                while len(self.answers) < REQUESTS:  # noqa: ASYNC110 (many fill it)
                    await asyncio.sleep(PAUSE_SECONDS)
                grown = time.monotonic()
                print(READY_TO_GROW, flush=True)
                async with asyncio.timeout(GROWTH_SECONDS):
                    while len(await self._read_ready()) < 2:  # noqa: ASYNC110 (asks the API)
                        await asyncio.sleep(PAUSE_SECONDS)
                ready = self._ready_at = time.monotonic()
                await asyncio.sleep(AFTER_SECONDS)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        shares = compute_shares(
            self.answers, grown=grown, ready=ready, within_seconds=AFTER_SECONDS
        )
        return {**shares, "failed": len(self.failures), "failures": self.failures[:5]}

    async def _ask_on(self, http: aiohttp.ClientSession) -> None:
        while True:
            sent = time.monotonic()
            try:
                async with http.post(CHAT_PATH, json=BODY) as response:
                    await response.read()
                    if response.status == 200:
                        self.answers.append(Answered(sent, response.headers[POD_HEADER]))
                    else:
                        self.failures.append(f"status {response.status}")
            except aiohttp.ClientError as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _lease(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            while True:
                move = self._rule and self._ready_at is not None
                lease = {"growth": "CanGrow", "reliefSeconds": None, "moveConnections": move}
                try:
                    for address in await self._read_ready():
                        url = f"http://{address}:{names.OPS_PORT}/-/fleet"
                        async with http.post(url, json={"policy": POLICY, "lease": lease}) as page:
                            page.raise_for_status()
                except (aiohttp.ClientError, TimeoutError) as error:
                    self.failures.append(f"lease: {type(error).__name__}: {error}")
                await asyncio.sleep(1)

    async def _read_ready(self) -> list[str]:
        pods = await self._api.read(f"/api/v1/namespaces/{NAMESPACE}/pods", labelSelector=SELECTOR)
        return [
            pod["status"]["podIP"]
            for pod in pods["items"]
            for condition in pod["status"].get("conditions", ())
            if condition["type"] == "Ready" and condition["status"] == "True"
        ]


async def _measure(options: argparse.Namespace) -> dict[str, Any]:
    async with open_api(read_kubeconfig(options.kubeconfig)) as api:
        run = Run(api=api, url=options.url, token=options.token, rule=options.rule == "on")
        return await run.measure()


def main() -> int:
    """Measure one arm and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--rule", choices=("on", "off"), required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    shares = asyncio.run(_measure(options))
    options.out.write_text(json.dumps(shares, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
