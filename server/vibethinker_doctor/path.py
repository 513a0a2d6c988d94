"""The four questions of an out-of-memory check, in their order. Pure.

1. Is PagedAttention on? 2. Is max_model_len at most 4096? 3. Are there no more requests than
max_num_seqs? 4. Is there cache that was not released?
"""

from vibethinker_doctor.amounts import LENGTH_STEP
from vibethinker_doctor.answer import Answer, found, ok, unknown
from vibethinker_doctor.engine_readings import EngineReadings
from vibethinker_doctor.finding import Finding, Severity
from vibethinker_doctor.memory_words import LENGTH, MISSION_MODEL_LEN, SEQUENCES
from vibethinker_doctor.release import ask_unreleased

PAGED = "1. Is PagedAttention on?"
MODEL_LEN = f"2. Is max_model_len at most {MISSION_MODEL_LEN}?"
CONCURRENCY = "3. Do no more requests come than max_num_seqs lets run?"

STORM_RATIO = 0.1
"""Preemptions per finished request from which on they are a storm: each computes a request anew,
so that a tenth of all work is done twice."""
FEWEST_FINISHED = 20
"""Requests below which that share says nothing."""
POOL_ROOM = 0.9
"""Of the pool that sequences of mean length may fill: half of them are longer."""


def walk_path(
    readings: EngineReadings, earlier: EngineReadings | None = None
) -> tuple[Answer, ...]:
    """Returns the answers to the four questions, in their order; see `ask_unreleased`."""
    return (
        ask_paged_attention(readings),
        ask_model_len(readings),
        ask_concurrency(readings),
        ask_unreleased(readings, earlier),
    )


def ask_paged_attention(readings: EngineReadings) -> Answer:
    """Answers by the pool's blocks: an engine that has them pages its KV cache."""
    blocks, size, tokens = readings.blocks, readings.block_size, readings.pool_tokens
    if blocks is None or size is None or tokens is None:
        return unknown(
            PAGED, "vLLM's page shows no vllm:cache_config_info: is its engine up, and is it vLLM?"
        )
    return ok(
        PAGED,
        f"{blocks} blocks of {size} tokens, {tokens} tokens together; vLLM's V1 engine knows no"
        " other way and has no switch for it",
    )


def ask_model_len(readings: EngineReadings) -> Answer:
    """Answers by what the engine was told."""
    length = readings.max_model_len
    if length is None:
        return unknown(MODEL_LEN, "neither the page (vibethinker_max_model_len) nor flags tell it")
    evidence = f"max_model_len is {length}"
    if readings.pool_tokens is not None:
        evidence += f"; the pool holds {readings.pool_tokens // length} sequences of that length"
    if length <= MISSION_MODEL_LEN:
        return ok(MODEL_LEN, evidence)
    return found(
        MODEL_LEN,
        Finding(
            code="MaxModelLenAboveLine",
            cause=f"one sequence may take the KV cache of {length} tokens, {length / 4096:.1f}"
            f" times that of {MISSION_MODEL_LEN}",
            evidence=evidence,
            remedy="make the longest sequence shorter, unless prompts and answers need it",
            field=LENGTH,
            value=MISSION_MODEL_LEN,
            severity=Severity.WARNING,
        ),
    )


def ask_concurrency(readings: EngineReadings) -> Answer:
    """Answers by requests against seats, and by how often running ones were thrown out."""
    running, waiting, seats = readings.running, readings.waiting, readings.max_num_seqs
    if running is None or waiting is None or seats is None:
        return unknown(
            CONCURRENCY,
            "the page must show vllm:num_requests_running, vllm:num_requests_waiting and"
            " vibethinker_max_num_seqs",
        )
    storm = _find_storm(readings, seats)
    if storm is not None:
        return found(CONCURRENCY, storm)
    requests = max(running + waiting, readings.in_flight or 0)
    evidence = f"{running} running and {waiting} waiting in the engine, {requests} let in, for"
    evidence += f" {seats} seats (max_num_seqs); {readings.preemptions or 0} preemptions"
    if requests <= seats:
        return ok(CONCURRENCY, evidence)
    return found(CONCURRENCY, _explain_crowd(readings, requests, seats, evidence))


def sequences_that_fit(readings: EngineReadings) -> int | None:
    """Returns how many sequences of the usual length fill the pool; None: not known.

    The usual length is the mean of the requests finished; without it, the longest allowed.
    """
    tokens, length = readings.pool_tokens, readings.max_model_len
    if tokens is None or length is None:
        return None
    longest = tokens // length
    if readings.mean_tokens is None:
        return max(1, longest)
    usual = max(readings.mean_tokens, LENGTH_STEP)
    return max(1, longest, int(tokens * POOL_ROOM / usual))


def _explain_crowd(readings: EngineReadings, requests: int, seats: int, evidence: str) -> Finding:
    fits = sequences_that_fit(readings)
    cause = f"{requests} requests for {seats} seats: {requests - seats} of them wait"
    if fits is not None and fits > seats:
        more = min(fits, requests)
        return Finding(
            code="RequestsAboveMaxNumSeqs",
            cause=cause,
            evidence=evidence,
            remedy=f"let more run at once: the pool holds {fits} of the usual length",
            field=SEQUENCES,
            value=more,
            severity=Severity.WARNING,
        )
    return Finding(
        code="RequestsAboveMaxNumSeqs",
        cause=cause,
        evidence=evidence,
        remedy="let the fleet grow: this pool holds no more sequences",
        field="scaling.maxReplicas",
        severity=Severity.WARNING,
    )


def _find_storm(readings: EngineReadings, seats: int) -> Finding | None:
    preemptions, finished = readings.preemptions, readings.finished
    if not preemptions or finished is None or finished < FEWEST_FINISHED:
        return None
    if preemptions / finished < STORM_RATIO:
        return None
    fits = sequences_that_fit(readings)
    fewer = fits if fits is not None and fits < seats else max(1, seats // 2)
    return Finding(
        code="PreemptionStorm",
        cause="the KV cache is too small for the sequences that run at once: they throw each other"
        " out and are computed again",
        evidence=f"{preemptions} preemptions for {finished} finished requests; the pool holds"
        f" {fits if fits is not None else 'an unknown number of'} sequences of the usual length,"
        f" {seats} may run",
        remedy="let fewer sequences run at once, or keep blocks free"
        " (engine.flags.watermarkPercentage: 2)",
        field=SEQUENCES,
        value=fewer if fewer < seats else None,
        severity=Severity.WARNING,
    )
