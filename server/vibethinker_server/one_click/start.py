"""One click: finds out what this machine is, brings the model, runs `serve`, says how to use it."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vibethinker_server import names
from vibethinker_server.engine_settings import EngineSettings, Source
from vibethinker_server.one_click.announcement import (
    render_announcement,
    render_background,
    warn_open,
)
from vibethinker_server.one_click.background import pid_file, prepare_log
from vibethinker_server.one_click.checks import check_engine, note_device
from vibethinker_server.one_click.download import download_model
from vibethinker_server.one_click.engine_failures import explain_failure, last_lines
from vibethinker_server.one_click.environment import (
    render_device_environment,
    render_server_environment,
)
from vibethinker_server.one_click.machine import Machine
from vibethinker_server.one_click.machine_reading import read_machine
from vibethinker_server.one_click.model_source import locate_model
from vibethinker_server.one_click.options import StartOptions
from vibethinker_server.one_click.ports import check_port
from vibethinker_server.one_click.server_process import (
    begin_server,
    end_on_signals,
    kill_server,
    wait_until_serving,
)
from vibethinker_server.one_click.settings import choose_gpu, choose_settings, gigabytes
from vibethinker_server.serve import choose_policy, show_command
from vibethinker_server.start_error import StartError


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be started: settings, and the variables of the process that starts it."""

    options: StartOptions
    machine: Machine
    settings: EngineSettings
    device_environment: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def with_keys(self) -> bool:
        """Whether clients must bring an API key."""
        return bool(self.environment.get(names.ENV_API_KEYS))


def say(text: str) -> None:
    """Shows a person one line."""
    print(text, flush=True)


def plan_start(options: StartOptions, given: Mapping[str, str]) -> Plan:
    """Returns what `options` mean on this machine, in the environment `given`.

    Raises:
        StartError: they cannot hold here.
    """
    located = locate_model(options.model)
    machine = read_machine(given)
    settings = choose_settings(
        machine,
        replace(options, model=located.model),
        located.source,
        in_16_bits=located.in_16_bits,
    )
    device = render_device_environment(settings, machine, given)
    environment = {**given, **device, **render_server_environment(settings, options)}
    choose_policy(Path(names.FILES_PATH), environment)  # a wrong one is told of before the start
    return Plan(options, machine, settings, device, environment)


def show_start(options: StartOptions) -> str:
    """Returns vLLM's command line as `start` would run it; starts nothing."""
    plan = plan_start(options, os.environ)
    return show_command(plan.environment, plan.device_environment)


def start(options: StartOptions) -> int:
    """Starts it; returns the exit status, in the background once it serves, else once it ended.

    Raises:
        StartError: it cannot start; nothing of it runs.
    """
    # First, because whoever has the port may have the memory too.
    check_port(options.host, options.port, "--port")
    check_port(options.host, options.ops_port, "--ops-port")
    plan = plan_start(options, os.environ)
    settings = plan.settings
    check_engine(plan.machine, settings.device)
    describe(plan)
    if settings.source is Source.HUGGING_FACE:
        download_model(settings.model, settings.revision or "main", say)
    return run_in_background(plan) if options.background else run_in_foreground(plan)


def describe(plan: Plan) -> None:
    """Says what was found and picked."""
    machine, settings = plan.machine, plan.settings
    gpu = choose_gpu(machine)
    where = f"{gpu.name}, {gigabytes(gpu.free_bytes)} free" if gpu else "no NVIDIA GPU found"
    cpus = f"{machine.cpus} processors"
    say(f"machine: {cpus}, {where}; engine: {machine.engine} on {settings.device}")
    say(
        f"model: {settings.model}, {settings.dtype}, {settings.max_num_seqs} sequences of"
        f" {settings.max_model_len} tokens"
    )
    notes = (
        note_device(machine, settings.device),
        warn_open(plan.options.host, with_keys=plan.with_keys),
    )
    for note in notes:
        if note is not None:
            print(f"note: {note}", file=sys.stderr, flush=True)


def run_in_foreground(plan: Plan) -> int:
    """Serves until this process is told to end; returns the exit status."""
    environment = {**plan.environment, names.ENV_PARENT: str(os.getpid())}
    process = begin_server(environment, output=None)
    asked = end_on_signals(process)
    if wait_until_serving(process, plan.options.host, plan.settings.ops_port, say):
        say(announce(plan))
    status = process.wait()
    if asked or status == 0:
        say("ended")
        return 0
    raise StartError(f"the server ended by itself with status {status}; its lines above say why")


def run_in_background(plan: Plan) -> int:
    """Returns once the server serves; its log is a file.

    Raises:
        StartError: it ended before that.
    """
    log = plan.options.log
    prepare_log(log)
    say(f"log: {log}")
    with log.open("ab") as output:
        process = begin_server(plan.environment, output)
    pid_file(log).write_text(f"{process.pid}\n")
    try:
        serves = wait_until_serving(process, plan.options.host, plan.settings.ops_port, say)
    except KeyboardInterrupt:
        kill_server(process)
        pid_file(log).unlink(missing_ok=True)
        raise
    if not serves:
        pid_file(log).unlink(missing_ok=True)
        raise StartError(render_failure(plan, process.wait()))
    say(announce(plan))
    say(render_background(process.pid, log, own_command()))
    return 0


def own_command() -> str:
    """Returns what starts this program again: its name, where a shell finds it."""
    return (
        names.PROGRAM if shutil.which(names.PROGRAM) else f"{sys.executable} -m vibethinker_server"
    )


def announce(plan: Plan) -> str:
    """Returns what to do with the server now that it serves."""
    return render_announcement(plan.settings, plan.options.host, with_keys=plan.with_keys)


def render_failure(plan: Plan, status: int) -> str:
    """Returns why the server in the background did not come up."""
    log = plan.options.log.read_text(errors="replace")
    cause = explain_failure(log) or "its last lines say why"
    ending = f"the server ended with status {status}: {cause}"
    return f"{ending}\n{last_lines(log)}\n    ({plan.options.log})"
