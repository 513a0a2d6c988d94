"""Where contestants stand: started, on their core, and asked once whether they answer rightly."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.middleware.answers import Kind, WrongAnswerError
from tests.bench.middleware.apps import BARE, BASE, OURS
from tests.bench.middleware.load import ask
from tests.bench.middleware.peer import start_peer
from tests.bench.middleware.processes import Cores, Served, find_server_python, start
from tests.bench.middleware.stub_app import LAST_CHUNKS
from tests.bench.middleware.traffic import build_body, build_request
from tests.e2e.engine_process import ROOT, SERVER, free_port

MAX_TOKENS = 64
TICKET = b"x-session-ticket: "


@dataclass(frozen=True)
class Arena:
    """What every contestant needs: packages, mounted files, a place for logs, two cores."""

    site: Path
    peer: Path | None
    files: Path
    logs: Path
    cores: Cores

    @contextmanager
    def serve(
        self, contestant: str, *options: str, on_generator_core: bool = False
    ) -> Iterator[Served]:
        """Runs one Python contestant with `options` of serve.py."""
        port = free_port()
        module = ["-m", "tests.bench.middleware.serve", contestant]
        places = ["--port", str(port), "--files", str(self.files)]
        core = self.cores.generator if on_generator_core else self.cores.server
        path = [self.site, SERVER, ROOT]
        log = self.logs / f"{contestant}-{port}.log"
        command = [find_server_python(), *module, *places, *options]
        with start(command, port, core=core, path=path, log=log) as served:
            yield served

    @contextmanager
    def serve_peer(self, *options: str) -> Iterator[Served]:
        """Runs the peer before a bare application, which shares the generator's core.

        That core limits how many requests come, not what each costs the peer on the other core.
        """
        assert self.peer is not None
        with ExitStack() as stack:
            bare = stack.enter_context(self.serve(BARE, *options, on_generator_core=True))
            log = self.logs / f"peer-{bare.port}.log"
            peer = start_peer(self.peer, bare.port, core=self.cores.server, log=log)
            yield stack.enter_context(peer)

    @contextmanager
    def respond_trivially(self, request_bytes: int, *, closes: bool) -> Iterator[Served]:
        """Runs what answers without being a web server."""
        port = free_port()
        command = [
            *(find_server_python(), "-m", "tests.bench.middleware.trivial_responder"),
            *("--port", str(port), "--request-bytes", str(request_bytes)),
            *(["--closes"] if closes else []),
        ]
        log = self.logs / "trivial.log"
        with start(command, port, core=self.cores.server, path=[ROOT], log=log) as served:
            yield served


def whole_answer(size: int) -> Kind:
    """Returns a chat of `size` bytes that is answered whole."""
    return Kind(build_request(build_body(size, max_tokens=MAX_TOKENS)))


def stream_of(chunks: int) -> Kind:
    """Returns a chat of 1 KB whose answer comes in `chunks`."""
    body = build_body(1024, max_tokens=chunks, stream=True)
    return Kind(build_request(body), events=chunks + LAST_CHUNKS)


def refusal(*, closes: bool) -> Kind:
    """Returns a newcomer's chat of 2 KB, with a valid key, that a full server refuses."""
    body = build_body(2048, max_tokens=MAX_TOKENS)
    return Kind(build_request(body), status=429, closes=closes)


def known(ticket: str) -> Kind:
    """Returns a known session's chat of 2 KB, which a full server answers all the same."""
    body = build_body(2048, max_tokens=MAX_TOKENS)
    return Kind(build_request(body, ticket=ticket))


def examine(name: str, served: Served) -> None:
    """Asks a contestant that has room once in each way.

    Raises:
        WrongAnswerError: an answer is not what it has to be.
    """
    try:
        ask(served.port, whole_answer(1024))
        ask(served.port, whole_answer(16 * 1024))
        ask(served.port, stream_of(8))
        if name in (OURS, BASE):  # the others know no keys
            body = build_body(1024, max_tokens=MAX_TOKENS)
            wrong = Kind(build_request(body, key="sk-none-of-theirs"), 401, closes=name == OURS)
            ask(served.port, wrong)
    except WrongAnswerError as error:
        raise WrongAnswerError(f"{name}: {error}") from None


def obtain_ticket(served: Served) -> str:
    """Returns the ticket that our own answer carries.

    Raises:
        WrongAnswerError: there is none.
    """
    answer = ask(served.port, whole_answer(1024))
    if TICKET not in answer:
        raise WrongAnswerError(f"no ticket: {answer[:600]!r}")
    return answer.split(TICKET, 1)[1].split(b"\r\n", 1)[0].decode()
