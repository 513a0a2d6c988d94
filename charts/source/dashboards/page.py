"""The page that shows each panel: its picture, what it says, what it asks."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

PAGE: Final = "docs/dashboards.md"
PICTURES: Final = "dashboards"
INTRODUCTION: Final = """\
<!-- Written by `make generate` from charts/source/dashboards: change it there. -->
# Dashboards

Two boards for Grafana, in `charts/vibethinker-operator/dashboards`. The chart brings them as
ConfigMaps that Grafana's sidecar loads (`dashboards.enabled`); they can be imported by hand as
well. Panels that name a series with colons read what the chart's rules record
(`prometheusRule.enabled`).

Over every graph both mark scale-outs, scale-ins and the times in which a fleet refused requests.
The pictures are drawn by us, in the panel's unit, from what a real Prometheus answered to the
panel's own queries (`make dashboard-pictures`): three fleets of stub engines lived through a
calm, a storm and a calm; vLLM's own series are of a real vLLM. A tile shows the highest figure of
that time. Grafana draws all this in its own way.
"""


def picture_name(board: str, title: str) -> str:
    """Returns the file of a panel's picture."""
    return f"{board}-{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}.png"


def render_page(boards: Mapping[str, str]) -> str:
    """Returns the page of these boards, by name."""
    return "\n".join(
        [INTRODUCTION, *(line for name, text in boards.items() for line in _render(name, text))]
    )


def _render(name: str, text: str) -> Iterator[str]:
    board: dict[str, Any] = json.loads(text)
    yield f"## {board['title']}\n\n{board['description']}\n"
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield f"### {panel['title']}\n"
        else:
            yield from _render_panel(name, panel)


def _render_panel(board: str, panel: dict[str, Any]) -> Iterator[str]:
    title = panel["title"]
    yield f"#### {title}\n\n![{title}]({PICTURES}/{picture_name(board, title)})\n"
    yield f"{panel['description']}\n"
    queries = "\n".join(target["expr"] for target in panel["targets"])
    yield f"```promql\n{queries}\n```\n"
