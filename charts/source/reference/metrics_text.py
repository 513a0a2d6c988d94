"""The words of docs/reference/metrics.md that no collector holds."""

from collections.abc import Mapping
from typing import Final

SERVER = """Each pod exports these at `:{port}{path}`, beside vLLM's own page (`vllm:…`), which is
vLLM's to document. `{path}?name[]=NAME` gives just the named ones. The port is not part of the
Service: Prometheus asks the pods. Unknown is no series, never 0: where the device's memory cannot
be read there is no memory ratio, and without a GPU there is no `vibethinker_gpu_util`."""

OPERATOR = """The operator exports these at `:{port}{path}`, beside `process_…` of its process. A
fleet that is gone has no series, and so has what is not known."""

VALUES = """Where the values are fixed, these are all of them. Rules and reasons of decisions, and
types and reasons of conditions are in [conditions.md](conditions.md)."""

UNITS_BY_NAME: Final[Mapping[str, str]] = {
    "vibethinker_gpu_util": "ratio, 0 to 1",
    "vibethinker_max_model_len": "tokens",
    "vibethinker_draining": "0 or 1",
    "vibethinker_start_phase": "1 for the phase",
    "vibethinker_fleet_condition": "1 for the answer",
    "vibethinker_fleet_decision": "1 for the decision",
    "vibethinker_policy_generation": "generation",
}
"""Units that the name does not tell."""

LABELS: Final[Mapping[str, str]] = {
    "code": "Status that the API server answered; `none` where it did not.",
    "direction": "Of a change of size: `out` or `in`.",
    "key": "Name of the API key: its entry in the Secret, never the key itself.",
    "kind": "Of memory: `weights`, `kv_used`, `kv_idle` or `other`. Of failed writes: what was"
    " written.",
    "method": "HTTP method.",
    "name": "Name of the fleet.",
    "namespace": "Namespace of the fleet.",
    "phase": "Where a pod stands between its start and its end.",
    "profile": "Name of the profile that the request was served under.",
    "reason": "Why, in one word: of a refusal, of a reading that was not believed, of a condition,"
    " of a decision.",
    "rule": "Rule of the decision ([conditions.md](conditions.md)).",
    "state": "Of replicas: `ready`, `starting`, `draining` or `desired`.",
    "status": "Of a condition: `True`, `False` or `Unknown`.",
    "task": "Task of the request, whose token cap held.",
    "type": "Type of the condition ([conditions.md](conditions.md)).",
    "where": "Where an error of ours was caught.",
}
