"""Who is let in, and what is noted of them: the state around the pure rules of `admission`.

Between a look at the load and the request being counted there is no await, so a crowd cannot slip
through at once.
"""

import logging
from dataclasses import dataclass
from secrets import token_bytes

from vibethinker_server import names
from vibethinker_server.admission import (
    KNOWN_PRIORITY,
    NEWCOMER_PRIORITY,
    Facts,
    Rejected,
    admit,
)
from vibethinker_server.flights import Flight
from vibethinker_server.generation import Generation, Headers
from vibethinker_server.headroom import fits, is_within_share
from vibethinker_server.runtime import Runtime
from vibethinker_server.session_identity import Identity, cache_salt, identify
from vibethinker_server.ticket import SESSION_ID_BYTES, issue_ticket

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LetIn:
    """A request that is counted as in flight: its vLLM priority, its session, its cache salt."""

    identity: Identity
    flight: Flight
    priority: int
    salt: str | None

    @property
    def session_id(self) -> bytes:
        """The session's 16 bytes."""
        return self.flight.session_id


class Door:
    """Judges requests, and keeps count of those inside. Only the event loop calls it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def let_in(self, key: str | None, headers: Headers, generation: Generation) -> LetIn | Rejected:
        """Judges one request and counts it as in flight if it may come in.

        An error of ours lets it in as a newcomer: who is served must not depend on our bookkeeping.
        """
        try:
            verdict = self._judge(key, headers, generation)
        except Exception:
            self._count_error("admission failed; the request was let in")
            # A salt of its own: what cannot be told apart shares nothing.
            salt = token_bytes(32).hex()
            flight = Flight(token_bytes(SESSION_ID_BYTES), 0)
            verdict = LetIn(Identity(key), flight, NEWCOMER_PRIORITY, salt)
        if isinstance(verdict, LetIn):
            self._runtime.begin(verdict.flight, known=verdict.priority == KNOWN_PRIORITY)
        return verdict

    def leave(self, inside: LetIn) -> None:
        """Gives back what a request had: it ended, failed, or its client is gone."""
        self._runtime.flights.end(inside.flight)

    def accept(self, inside: LetIn) -> bytes | None:
        """Notes the session of a request that the engine takes, and returns its new ticket.

        None: the caller's key has as many known sessions as it may; this one stays a newcomer.
        """
        try:
            if not self._has_room(inside.session_id, inside.identity.key):
                return None
            expires = self._renew(inside, inside.identity.name)
            return issue_ticket(self._secret(), inside.session_id, inside.identity.key, expires)
        except Exception:
            self._count_error("a session could not be noted; its answer goes on")
            return None

    def name(self, inside: LetIn, answer: str) -> None:
        """Notes by which words a conversation will come back, now that its `answer` began."""
        opening, unix = inside.identity.opening, self._runtime.clock.unix()
        try:
            name = None if opening is None else opening.name(answer)
            if name is not None and self._runtime.sessions.knows(inside.session_id, unix):
                self._renew(inside, name)
        except Exception:
            self._count_error("a conversation could not be noted; its answer goes on")

    def _judge(self, key: str | None, headers: Headers, generation: Generation) -> LetIn | Rejected:
        runtime, unix = self._runtime, self._runtime.clock.unix()
        limits, secret = runtime.fleet.policy.sessions, self._secret()
        identity = identify(secret, key, headers, generation.conversation, limits=limits, now=unix)
        session_id, recognised = self._recognise(identity, unix)
        flight = Flight(session_id, self._likely_tokens(generation))
        known = recognised and self._is_within_limits(flight, key)
        verdict = admit(
            runtime.fleet.policy,
            runtime.fleet.verdict(runtime.clock.monotonic()),
            runtime.load(),
            gather_facts(
                runtime,
                known=known,
                tokens=flight.tokens,
                objective_seconds=generation.profile.first_token_seconds,
            ),
        )
        if isinstance(verdict, Rejected):
            return verdict
        if verdict.would_reject is not None:
            runtime.would_reject.add(verdict.would_reject)
        salt = cache_salt(secret, generation.profile.isolation, key, session_id)
        return LetIn(identity, flight, verdict.priority, salt)

    def _recognise(self, identity: Identity, unix: float) -> tuple[bytes, bool]:
        """Returns the session's id, and whether it had an admitted request within its time."""
        if identity.proven is not None:
            return identity.proven, True
        if identity.name is None:
            return token_bytes(SESSION_ID_BYTES), False
        known = self._runtime.sessions.id_of(identity.name, unix)
        if known is not None:
            return known, True
        return identity.name, self._runtime.peer_sessions.knows(identity.name, unix)

    def _is_within_limits(self, flight: Flight, key: str | None) -> bool:
        runtime = self._runtime
        flights, session_id = runtime.flights, flight.session_id
        return (
            flights.count_of(session_id) < runtime.fleet.policy.sessions.max_concurrent_requests
            and is_within_share(
                runtime.stats.pool_tokens, flights.tokens_of(session_id), flight.tokens
            )
            and self._has_room(session_id, key)
        )

    def _has_room(self, session_id: bytes, key: str | None) -> bool:
        """Tells whether a session of `key` may be known: it is already, or the key has room."""
        sessions = self._runtime.sessions
        if key is None or sessions.knows(session_id, self._runtime.clock.unix()):
            return True
        return sessions.count_of(key) < self._runtime.fleet.policy.sessions.max_known_per_key

    def _likely_tokens(self, generation: Generation) -> int:
        return self._runtime.stats.sizes.estimate_tokens(
            generation.prompt_bytes,
            generation.limit.tokens,
            generation.sequences,
            self._runtime.settings.block_size,
        )

    def _renew(self, inside: LetIn, name: bytes | None) -> float:
        runtime = self._runtime
        unix = runtime.clock.unix()
        expires = unix + runtime.fleet.policy.sessions.ttl_seconds
        runtime.sessions.renew(inside.session_id, inside.identity.key, name, expires, unix)
        return expires

    def _count_error(self, what: str) -> None:
        self._runtime.count_error(names.WHERE_REQUEST, log, what)

    def _secret(self) -> bytes:
        return self._runtime.ticket_key(self._runtime.clock.monotonic())


def gather_facts(runtime: Runtime, *, known: bool, tokens: int, objective_seconds: float) -> Facts:
    """Returns what one request is judged by, as of now.

    Args:
        runtime: the state of the server.
        known: the request is of a session that had an admitted one, and within its limits.
        tokens: of KV that it will likely hold at its end.
        objective_seconds: the longest wait for a first token that its profile allows.
    """
    now, stats, reading = runtime.clock.monotonic(), runtime.stats, runtime.stats.reading
    used_ratio = None if reading is None else reading.kv_usage_ratio
    committed = runtime.flights.committed_tokens
    return Facts(
        known=known,
        answering=runtime.answering,
        draining_seconds=runtime.fleet.draining_seconds(now),
        line_crossed=runtime.line.crossed,
        queue_length=runtime.queue_with_one_more(),
        finished_per_second=stats.finished_per_second(now),
        kv_fits=fits(stats.pool_tokens, used_ratio, committed, tokens),
        first_token_seconds=None if known else runtime.predicted_first_token(now),
        objective_seconds=objective_seconds,
    )
