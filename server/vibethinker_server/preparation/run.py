"""Does the Job's work: finds the model, writes the weights, says how far it is or why it failed."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread

from vibethinker_server import names
from vibethinker_server.checkpoint.checkpoint_error import CheckpointError, HeldError
from vibethinker_server.checkpoint.gguf_export import Exported, export_gguf
from vibethinker_server.checkpoint.gguf_plan import Outtype
from vibethinker_server.checkpoint.int8_layout import Method
from vibethinker_server.checkpoint.progress import Progress, ProgressLine, Report, gigabytes
from vibethinker_server.checkpoint.quantization import Result, quantize
from vibethinker_server.engine_args import ANY_ADDRESS
from vibethinker_server.engine_settings import SettingsError
from vibethinker_server.key_file import KeyFile
from vibethinker_server.one_click.download import download_model
from vibethinker_server.preparation.page import ProgressServer, Standing
from vibethinker_server.preparation.task import Format, Task, parse_task
from vibethinker_server.start_error import StartError

# What the operator's Job takes for final, and what it tries again.
HOPELESS, AGAIN = 2, 1
METHODS: Mapping[Format, Method] = {
    Format.W8A8: Method.W8A8,
    Format.BITS_AND_BYTES: Method.BITSANDBYTES,
}


def prepare() -> int:
    """Returns the exit status of the task in the environment."""
    environment = os.environ
    try:
        task = parse_task(environment.get(names.ENV_PREPARE, ""))
        standing = Standing()
        open_page(task, standing, environment)
        print(run_task(task, standing.report))
    except (SettingsError, CheckpointError, StartError, OSError) as error:
        tell_failure(str(error), environment)
        return AGAIN if is_worth_another_try(error) else HOPELESS
    return 0


def open_page(task: Task, standing: Standing, environment: Mapping[str, str]) -> None:
    """Opens the ops port, which ends with the process."""
    files = Path(environment.get(names.ENV_FILES, names.FILES_PATH))
    token = KeyFile(files / names.FLEET_TOKEN_FILE)
    address = (environment.get(names.ENV_HOST, ANY_ADDRESS), task.ops_port)
    server = ProgressServer(address, standing, lambda: token.read(time.monotonic()))
    Thread(target=server.serve_forever, name="vibethinker-ops", daemon=True).start()


def run_task(task: Task, report: Report) -> str:
    """Returns what was made, in a sentence.

    Raises:
        CheckpointError: the weights cannot be read, or written.
        StartError: the model cannot be brought from the hub.
    """
    source = find_source(task)
    line = ProgressLine(sys.stderr, time.monotonic)

    def tell(progress: Progress) -> None:
        report(progress)
        line(progress)

    try:
        if task.format.is_gguf:
            outtype = Outtype(task.format.value.lower())
            return describe(export_gguf(source, task.out, outtype, tell))
        return describe(quantize(source, task.out, METHODS[task.format], tell))
    finally:
        line.close()


def describe(made: Result | Exported) -> str:
    """Returns in a sentence what is there now, with both sizes."""
    what = "was there already" if made.was_there else "is written"
    before, after = gigabytes(made.before_bytes), gigabytes(made.after_bytes)
    return f"{made.out} {what}: {after} of weights, made of {before}"


def find_source(task: Task, download: Callable[..., Path] = download_model) -> Path:
    """Returns the directory of the model: a volume's, or the hub's cache once it is there.

    Raises:
        StartError: it cannot be brought from the hub.
    """
    if task.model.startswith("/"):
        return Path(task.model)
    return download(task.model, task.revision or "main", print)


def is_worth_another_try(error: Exception) -> bool:
    """Tells whether it may go better later: the hub answers, another writer has ended."""
    return isinstance(error, HeldError | StartError)


def tell_failure(said: str, environment: Mapping[str, str]) -> None:
    """Says why it failed: in the log, and to the kubelet, which puts it into the pod's status."""
    print(f"{names.PROGRAM} prepare: {said}", file=sys.stderr)
    file = environment.get(names.ENV_TERMINATION_LOG)
    if file:
        with suppress(OSError):
            Path(file).write_text(said)
