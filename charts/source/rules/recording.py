"""Recording rules: what boards and alerts both ask for, computed once.

Every one is by fleet (labels `namespace` and `name`), so that an operator or a pod that was
replaced leaves no second series behind.
"""

from dataclasses import dataclass
from typing import Final

from vibethinker_operator import names as operator_names
from vibethinker_operator.samples import LOAD_REFUSALS
from vibethinker_server import names as server_names

LOAD_REASONS: Final = "|".join(sorted(LOAD_REFUSALS))
"""Refusals for load, as a regular expression. The others mean that a pod serves nobody just now."""


@dataclass(frozen=True)
class RecordingRule:
    """One recorded series.

    Attributes:
        record: Its name, as level:metric:operation.
        expression: What is recorded.
        text: What it says, in a sentence.
    """

    record: str
    expression: str
    text: str


def of_fleet(metric: str) -> str:
    """Returns a metric of the operator by fleet."""
    return f"max by (namespace, name) ({metric})"


def age_seconds(timestamp_metric: str) -> str:
    """Returns how old a time was when it was scraped; the wait for the next scrape is no age."""
    # A scrape's time is that of its beginning, a moment before the page is made.
    return f"clamp_min(timestamp({timestamp_metric}) - {timestamp_metric}, 0)"


READY: Final = f'{operator_names.METRIC_REPLICAS}{{state="ready"}}'

MEMORY_OF_LINE: Final = RecordingRule(
    "fleet:vibethinker_memory_used:of_line",
    f"{of_fleet(operator_names.METRIC_MEMORY_USED)}"
    f" / ({of_fleet(operator_names.METRIC_MEMORY_LINE)} > 0)",
    "Live memory over the fleet's own line: above 1 the line is crossed.",
)
QUEUE_OF_LINE: Final = RecordingRule(
    "fleet:vibethinker_request_queue_length:of_line",
    f"{of_fleet(operator_names.METRIC_QUEUE)} / ({of_fleet(READY)} > 0)"
    f" / ({of_fleet(operator_names.METRIC_QUEUE_LINE)} > 0)",
    "Waiting requests per ready replica over the fleet's own line: above 1 the line is crossed.",
)
REJECTED: Final = RecordingRule(
    "fleet_reason:vibethinker_admission_rejected:rate5m",
    "sum by (namespace, name, reason)"
    f' (rate({server_names.METRIC_REJECTED}_total{{reason=~"{LOAD_REASONS}"}}[5m]))',
    "Requests refused for load per second, by reason.",
)
FIRST_TOKEN: Final = RecordingRule(
    "fleet_profile:vibethinker_time_to_first_token_seconds:p95_5m",
    "histogram_quantile(0.95, sum by (namespace, name, profile, le)"
    f" (rate({server_names.METRIC_TTFT}_bucket[5m])))",
    "Time to the first token that 95 % of the streamed answers keep to, by profile.",
)
OLDEST_SAMPLE: Final = RecordingRule(
    "fleet:vibethinker_oldest_sample_age_seconds:max",
    of_fleet(age_seconds(operator_names.METRIC_OLDEST_SAMPLE)),
    "Age of the oldest reading that the operator decides by, over the ready pods.",
)
REVERSALS: Final = RecordingRule(
    "fleet:vibethinker_scale_reversals:increase30m",
    of_fleet(f"increase({operator_names.METRIC_SCALE_REVERSALS}_total[30m])"),
    "How often the fleet's size turned back within half an hour.",
)

RECORDING_RULES: Final = (
    MEMORY_OF_LINE,
    QUEUE_OF_LINE,
    REJECTED,
    FIRST_TOKEN,
    OLDEST_SAMPLE,
    REVERSALS,
)
