"""The boards' queries of vLLM's own series, asked of a real Prometheus that scrapes a real vLLM."""

import time
from pathlib import Path

from charts.source.promql import list_metrics
from tests.e2e.engine_process import EngineProcess, free_port
from tests.e2e.streams import Stream
from tests.support.boards import dump_answers, fill, list_panels
from tests.support.prometheus import Prometheus

RESULTS = Path("build/dashboards/vllm.json")
ANSWERS = 6
TOKENS = 60
LABELS = {"namespace": "team", "name": "chat", "pod": "chat-0"}


def scrape(engine: EngineProcess) -> dict[str, object]:
    target = f"127.0.0.1:{engine.ops_port}"
    job = {"job_name": "servers", "static_configs": [{"targets": [target], "labels": LABELS}]}
    return {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}


def test_every_query_of_vllms_own_series_has_data(vllm: EngineProcess, tmp_path: Path):
    panels = [
        panel
        for panel in list_panels()
        if any(name.startswith("vllm:") for e in panel.expressions for name in list_metrics(e))
    ]
    assert panels
    with Prometheus(tmp_path, free_port(), scrape(vllm)) as prometheus:
        start = time.time()  # noqa: TID251 (the edge)
        for number in range(ANSWERS):
            Stream(vllm, tokens=TOKENS, prompt=f"word {number}").end()
        time.sleep(3)
        end = time.time()  # noqa: TID251 (the edge)
        answers = {
            panel.title: {e: prometheus.curves(fill(e), start, end) for e in panel.expressions}
            for panel in panels
        }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(dump_answers(answers))
    without = [e for queries in answers.values() for e, curves in queries.items() if not curves]
    assert without == []
