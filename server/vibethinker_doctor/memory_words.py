"""Texts of an engine that has too little memory, the most telling first. Pure.

Sources: `v1/core/kv_cache_utils.py` (0.33: `kv_cache_planning.py`), `v1/worker/utils.py`,
`gpu_worker.py`, `gpu_model_runner.py`, `cpu_worker.py` of vLLM; torch's allocator.
"""

import re

from vibethinker_doctor.amounts import (
    COUNT,
    NUMBER,
    batched_tokens,
    gib,
    length_within,
    percentage_within,
    pool_of,
    pool_within,
    sequences,
)
from vibethinker_doctor.engine_facts import EngineFacts
from vibethinker_doctor.words import Change, Meaning, Said, Word, plain

MISSION_MODEL_LEN = 4096
"""The longest sequence that memory is planned for: the second question of the path."""

POOL, LENGTH = "engine.kvCacheMemoryBytes", "engine.maxModelLen"
SHARE, SEQUENCES = "engine.gpuMemoryUtilizationPercentage", "engine.maxNumSeqs"
BATCH = "engine.maxNumBatchedTokens"

SHARE_STEP = 5
"""Points by which a share of the card that holds no KV at all is raised, up to HIGHEST_SHARE."""
HIGHEST_SHARE = 95
ROOM = 0.98
"""Of what is free: memory moves by some MiB between two readings."""
CPU_ROOM = 0.8
"""Likewise of a machine's memory, of which the engine takes more once it serves."""


def _explain_one_sequence(said: Said, engine: EngineFacts) -> Meaning:
    wanted, needed, room = int(said["length"]), said["needed"], said["room"]
    fits = int(said["fits"]) if said["fits"] else None
    cause = (
        f"one sequence of {wanted} tokens needs {needed} GiB of KV cache, and the pool has {room}"
        f" GiB"
    )
    length = None if fits is None else length_within(fits)
    if engine.kv_cache_memory_bytes is not None and wanted <= MISSION_MODEL_LEN:
        shorter = "" if length is None else f", or shorten the longest sequence to {length} tokens"
        change = Change(POOL, pool_of(needed))
        return Meaning(cause=cause, remedy=f"enlarge the pool{shorter}", change=change)
    remedy = "make the longest sequence shorter"
    return Meaning(
        cause=cause, remedy=remedy, change=Change(LENGTH, length), code="MaxModelLenTooLarge"
    )


def _explain_empty_pool(_said: Said, engine: EngineFacts) -> Meaning:
    share = engine.gpu_memory_utilization_percentage
    higher = share + SHARE_STEP if share is not None and share < HIGHEST_SHARE else None
    value = None if higher is None else min(higher, HIGHEST_SHARE)
    return Meaning(
        cause="weights and activations leave nothing for the KV cache",
        remedy="end what else uses the device, or give the engine a larger share of it",
        change=Change(SHARE, value),
    )


def _explain_taken(said: Said, _engine: EngineFacts) -> Meaning:
    free, total = float(said["free"]), float(said["total"])
    share = percentage_within(100 * free / total * ROOM) if total else None
    return Meaning(
        cause=f"of the device's {said['total']} GiB only {said['free']} GiB were free at the start:"
        " another process uses it",
        remedy="end that process, or leave the engine a smaller share",
        change=Change(SHARE, share),
    )


def _explain_host(said: Said, _engine: EngineFacts) -> Meaning:
    pool = pool_within(int(gib(said["free"]) * CPU_ROOM))
    return Meaning(
        # In a container vLLM counts with its limit, so what is full need not be the machine.
        cause=f"{said['free']} of {said['whole']} GiB of memory are left, and the KV cache is to"
        f" take {said['wanted']} GiB",
        remedy="make the KV cache smaller, or give the engine more memory",
        change=Change(POOL, pool),
    )


def _explain_sampler(said: Said, _engine: EngineFacts) -> Meaning:
    rows = int(said["rows"])
    return Meaning(
        cause=f"the card has no room for the logits of {rows} sequences",
        remedy="let fewer sequences run at once",
        change=Change(SEQUENCES, sequences(rows // 2)),
    )


def _explain_allocation(said: Said, engine: EngineFacts) -> Meaning:
    tokens = engine.max_num_batched_tokens
    seats = engine.max_num_seqs or 1
    fewer = None if tokens is None else batched_tokens(max(tokens // 2, seats))
    smaller = fewer if fewer is not None and tokens is not None and fewer < tokens else None
    asked = f" ({said['asked']} asked for)" if said["asked"] else ""
    return Meaning(
        cause=f"the GPU's memory ran out{asked}",
        remedy="compute fewer tokens a step, let fewer sequences run at once, or leave the engine"
        " a smaller share for its KV cache",
        change=Change(BATCH, smaller),
    )


MEMORY_WORDS = (
    Word(
        code="KvCacheTooSmall",
        other_codes=("MaxModelLenTooLarge",),
        pattern=re.compile(
            r"To serve at least one request with the model's max seq len"
            rf" \((?P<length>{COUNT})\),"
            rf" \((?P<needed>{NUMBER}) GiB KV cache is needed, which is larger than the available"
            rf" KV cache memory \((?P<room>{NUMBER}) GiB\)"
            rf"(?:.*the estimated maximum model length is (?P<fits>{COUNT})\b)?"
        ),
        explain=_explain_one_sequence,
    ),
    Word(
        code="NoMemoryForKvCache",
        pattern=re.compile(r"No available memory for the cache blocks\. Try increasing"),
        explain=_explain_empty_pool,
    ),
    Word(
        code="DeviceMemoryTaken",
        pattern=re.compile(
            rf"Free memory on device \S+ \((?P<free>{NUMBER})/(?P<total>{NUMBER}) GiB\) on startup"
            r" is less than desired GPU memory utilization \("
        ),
        explain=_explain_taken,
    ),
    Word(
        code="DeviceMemoryTaken",
        pattern=re.compile(
            rf"Available memory on node \S+ \((?P<free>{NUMBER})/(?P<total>{NUMBER}) GiB\) on"
            r" startup is less than desired CPU memory utilization \("
        ),
        explain=_explain_taken,
    ),
    Word(
        code="DeviceMemoryMoves",
        pattern=re.compile(r"Error in memory profiling\. Initial free memory"),
        explain=plain(
            "another process gave GPU memory back while the engine measured it",
            "let nothing else use the GPU while the engine starts",
        ),
    ),
    Word(
        code="HostMemoryTooSmall",
        pattern=re.compile(
            rf"Available memory on node \S+ \((?P<free>{NUMBER})/(?P<whole>{NUMBER}) GiB\) on kv"
            rf" cache allocation is less than requested memory for kv \((?P<wanted>{NUMBER})"
        ),
        explain=_explain_host,
    ),
    Word(
        code="HostMemoryTooSmall",
        pattern=re.compile(
            rf"The worker already uses {NUMBER} GiB \(model weights and runtime\), more than the"
        ),
        explain=plain(
            "weights and runtime alone take more memory than the engine may use",
            "give it a larger share of the memory, or the pod more memory",
            Change(SHARE),
        ),
    ),
    Word(
        code="SamplerOutOfMemory",
        pattern=re.compile(
            r"CUDA out of memory occurred when warming up sampler with"
            rf" (?P<rows>{COUNT}) dummy requests"
        ),
        explain=_explain_sampler,
    ),
    Word(
        code="WeightsTooLarge",
        pattern=re.compile(r"Failed to load model - not enough GPU memory\."),
        explain=plain(
            "the weights do not fit the card",
            "use a larger card, or quantised weights, and end what else uses the GPU",
        ),
    ),
    Word(
        code="CudaOutOfMemory",
        pattern=re.compile(
            r"CUDA out of memory\.(?: Tried to allocate (?P<asked>[\d.]{1,12} \w{1,4}))?"
        ),
        explain=_explain_allocation,
    ),
)
