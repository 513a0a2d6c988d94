"""The engine's last words, kept where the kubelet finds them: the container's termination message.

vLLM loads `install` in each of its processes, before anything there can fail (its group of general
plugins). From then on each error that a process logs is looked up, and what it means is written if
it tells more than what was written before. Without ENV_TERMINATION_LOG, or for an error that nobody
knows, the file stays empty, and the kubelet takes the end of the log instead.
"""

import json
import logging
import os
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from vibethinker_doctor.engine_facts import EngineFacts, read_engine_facts
from vibethinker_doctor.finding import Severity
from vibethinker_doctor.last_words import find_last_words, rank_of
from vibethinker_doctor.termination import decode_finding, encode_finding

from vibethinker_server import names

ENGINE_LOGGER = "vllm"


def install() -> None:
    """Begins to listen in this process, once. Never raises: it would end the engine."""
    with suppress(Exception):
        file = os.environ.get(names.ENV_TERMINATION_LOG)
        logger = logging.getLogger(ENGINE_LOGGER)
        if file and not any(isinstance(one, LastWords) for one in logger.handlers):
            logger.addHandler(LastWords(Path(file), read_facts(os.environ)))


def keep_exception(error: BaseException, environment: Mapping[str, str]) -> None:
    """Keeps what an error tells that ended this process unlogged. Never raises."""
    with suppress(Exception):
        if file := environment.get(names.ENV_TERMINATION_LOG):
            text = "".join(traceback.format_exception(error))
            keep_last_words(Path(file), text, read_facts(environment))


class LastWords(logging.Handler):
    """Looks up every error that the engine logs."""

    def __init__(self, file: Path, engine: EngineFacts) -> None:
        super().__init__(logging.ERROR)
        self._file = file
        self._engine = engine

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps what the record tells. Never raises."""
        with suppress(Exception):
            keep_last_words(self._file, render_record(record), self._engine)


def render_record(record: logging.LogRecord) -> str:
    """Returns message and traceback of a record."""
    parts = [record.getMessage()]
    if record.exc_info and record.exc_info[1] is not None:
        parts += traceback.format_exception(record.exc_info[1])
    return "\n".join(parts)


def keep_last_words(file: Path, text: str, engine: EngineFacts) -> None:
    """Writes what `text` tells into `file`, unless that holds something more telling.

    Raises:
        OSError: the file cannot be read or written.
    """
    found = find_last_words(text, engine)
    finding = next((one for one in found if one.severity is Severity.ERROR), None)
    if finding is None:
        return
    held = decode_finding(file.read_text(errors="replace")) if file.exists() else None
    if held is None or rank_of(finding.code) < rank_of(held.code):
        file.write_text(encode_finding(finding))


def read_facts(environment: Mapping[str, str]) -> EngineFacts:
    """Returns what the engine was told, as far as this environment says it."""
    try:
        settings = json.loads(environment.get(names.ENV_ENGINE, "{}"))
    except ValueError:
        return EngineFacts()
    return read_engine_facts(settings if isinstance(settings, dict) else {})
