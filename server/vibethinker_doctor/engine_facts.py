"""How an engine was told to run, as far as a diagnosis computes with it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

FLAG = re.compile(r"--([a-z-]+) (\d{1,15})(?= |$)")
SHARE = re.compile(r"--gpu-memory-utilization 0\.(\d\d)(?= |$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """Settings of one engine; what is not known is None.

    Attributes:
        device: `GPU` or `CPU`.
        max_model_len: longest sequence, in tokens.
        max_num_seqs: sequences that run at once.
        max_num_batched_tokens: tokens of one step.
        gpu_memory_utilization_percentage: share of the card, where that sizes the KV pool.
        kv_cache_memory_bytes: size of the KV pool, where it is set.
    """

    device: str | None = None
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    gpu_memory_utilization_percentage: int | None = None
    kv_cache_memory_bytes: int | None = None


NOTHING_KNOWN = EngineFacts()


def read_engine_facts(settings: Mapping[str, object]) -> EngineFacts:
    """Returns the facts in a document of engine settings, as VIBETHINKER_ENGINE carries it."""
    device = settings.get("device")
    return EngineFacts(
        device=device if isinstance(device, str) else None,
        max_model_len=_whole(settings, "maxModelLen"),
        max_num_seqs=_whole(settings, "maxNumSeqs"),
        max_num_batched_tokens=_whole(settings, "maxNumBatchedTokens"),
        gpu_memory_utilization_percentage=_whole(settings, "gpuMemoryUtilizationPercentage"),
        kv_cache_memory_bytes=_whole(settings, "kvCacheMemoryBytes"),
    )


def read_flags(log: str) -> EngineFacts:
    """Returns the facts in the command line that a server writes into its log at the start."""
    started = [line for line in log.splitlines() if " --model " in line]
    flags = dict(FLAG.findall(started[-1])) if started else {}
    share = SHARE.search(started[-1]) if started else None
    return EngineFacts(
        device=None,
        max_model_len=_count(flags, "max-model-len"),
        max_num_seqs=_count(flags, "max-num-seqs"),
        max_num_batched_tokens=_count(flags, "max-num-batched-tokens"),
        gpu_memory_utilization_percentage=int(share[1]) if share else None,
        kv_cache_memory_bytes=_count(flags, "kv-cache-memory-bytes"),
    )


def _count(flags: Mapping[str, str], name: str) -> int | None:
    return int(flags[name]) if name in flags else None


def _whole(settings: Mapping[str, object], name: str) -> int | None:
    value = settings.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
