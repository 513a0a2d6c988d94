"""One user: a conversation of several turns over one connection, each request of it a row."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tests.demo.chat import Answer, Clock, ask, open_user
from tests.demo.prompts import build_document, build_question, quote_answer
from tests.demo.rows import Request


@dataclass
class Ledger:
    """Where every session writes its requests, and what the phases steer by."""

    write: Callable[[Request], None]
    clock: Clock
    phase: Callable[[], str]
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    rejected_total: int = 0
    requests: list[Request] = field(default_factory=list)

    def record(self, request: Request) -> None:
        self.requests.append(request)
        self.rejected_total += request.status == 429
        self.write(request)


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a user talks: how much is said in a turn and how much is asked for."""

    document_characters: int
    answer_tokens: int
    temperature: float = 0.0
    # Exchanges that stay in the conversation, beside the document.
    remembered_exchanges: int = 2


class Session:
    """A user with a client of their own.

    `pod` is who answered last, `asked` counts turns, `known` says that one was let in.
    """

    def __init__(self, *, number: int, url: str, model: str, style: Style, ledger: Ledger) -> None:
        self.name = f"s{number:03d}"
        self.style = style
        self.pod = ""
        self.asked = 0
        self.known = False
        self._home = ""
        self._url = url
        self._model = model
        self._ledger = ledger
        self._http = open_user(url)
        self._ticket = ""
        self._exchanges: list[tuple[str, str]] = []
        self._topic = number

    def change_topic(self, style: Style) -> None:
        """Drop the conversation, keep the session: the next turn brings a new document."""
        self.style = style
        self._topic += 500_000
        self._exchanges.clear()

    def stay(self) -> None:
        """Make the pod that answered last a home: answers of another one end the connection.

        A Service picks a pod by chance for every connection, and none lives for longer than two
        minutes: within a few of these, chance alone may empty one of two pods.
        """
        self._home = self.pod

    async def take_turn(self, *, attempts: int) -> bool:
        """Ask the next question, obeying Retry-After between attempts; True if it was answered."""
        self.asked += 1
        for attempt in range(1, attempts + 1):
            answer = await self.attempt(attempt)
            if answer.complete:
                return True
            if attempt < attempts:
                await asyncio.sleep(answer.wait_seconds)
        return False

    async def attempt(
        self, attempt: int, on_first_byte: Callable[[], None] = lambda: None
    ) -> Answer:
        """Send the current turn once and write its row."""
        ledger, known = self._ledger, self.known
        identity, phase, sent = next(ledger.ids), ledger.phase(), ledger.clock()
        answer = await ask(
            self._http,
            self._build_body(),
            ticket=self._ticket,
            clock=ledger.clock,
            on_first_byte=on_first_byte,
        )
        self._remember(answer)
        if self._home and answer.pod not in {"", self._home}:
            await self._http.close()
            self._http = open_user(self._url)
        ledger.record(
            Request(
                id=identity,
                session=self.name,
                turn=self.asked,
                known=known,
                pod=answer.pod,
                sent=sent,
                first_byte=answer.first_byte,
                end=ledger.clock(),
                status=answer.status,
                finish_reason=answer.finish_reason,
                retry_after=answer.retry_after,
                attempt=attempt,
                rejected_reason=answer.rejected_reason,
                prompt_tokens=answer.prompt_tokens,
                completion_tokens=answer.completion_tokens,
                closed=answer.closed,
                error=answer.error,
                phase=phase,
            )
        )
        return answer

    async def close(self) -> None:
        """Give the connection back."""
        await self._http.close()

    def _remember(self, answer: Answer) -> None:
        self.known = self.known or answer.status == HTTPStatus.OK
        self._ticket = answer.ticket or self._ticket
        self.pod = answer.pod or self.pod
        if answer.complete:
            self._exchanges.append((build_question(self.asked), quote_answer(answer.text)))

    def _build_body(self) -> dict[str, Any]:
        document = build_document(self._topic, self.style.document_characters)
        remembered = self._exchanges[-self.style.remembered_exchanges :]
        messages = [{"role": "user", "content": document}]
        for question, answer in remembered:
            messages += [
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer},
            ]
        messages.append({"role": "user", "content": build_question(self.asked)})
        return {
            "model": self._model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": self.style.answer_tokens,
            "temperature": self.style.temperature,
        }
