"""Every value of the labels whose values the code enumerates."""

from collections.abc import Mapping
from typing import Final

from vibethinker_operator.samples import REFUSAL_REASONS
from vibethinker_server import names
from vibethinker_server.phases import Phase

from charts.source.reference.known_runtime import build_known_registry

_WHERE = sorted(value for name, value in vars(names).items() if name.startswith("WHERE_"))

ENUMERATED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    (f"{names.METRIC_REJECTED}_total", names.LABEL_REASON): names.REASONS,
    (f"{names.METRIC_ERRORS}_total", names.LABEL_WHERE): tuple(_WHERE),
    (names.METRIC_PHASE, names.LABEL_PHASE): tuple(phase.value for phase in Phase),
    ("vibethinker_operator_refused_samples_total", "reason"): REFUSAL_REASONS,
}
"""Metric and label, and the values that the code has names for."""

SHOWN: Final = (
    (f"{names.METRIC_WOULD_REJECT}_total", names.LABEL_REASON),
    (names.METRIC_MEMORY, names.LABEL_KIND),
)
"""Metric and label whose values are on a server's page from its start."""


def list_label_values() -> dict[tuple[str, str], tuple[str, ...]]:
    """Returns metric and label, and every value."""
    samples = [one for family in build_known_registry().collect() for one in family.samples]
    shown = {
        (metric, label): tuple(one.labels[label] for one in samples if one.name == metric)
        for metric, label in SHOWN
    }
    return dict(sorted({**ENUMERATED, **shown}.items()))
