"""Starts everything: the ops port first, then vLLM's API server in this same process.

Under backend LlamaCpp a proxy runs in vLLM's place, and llama-server in a container of its own.

No exec: as the first process of a container, a new program would lose a SIGTERM that comes while
it imports, and nothing would show the phases of the start.
"""

import logging
import os
import random
import runpy
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread

from vibethinker_server import names
from vibethinker_server.api_keys import ApiKeys
from vibethinker_server.device_memory import CgroupProbe, DeviceProbe, NvmlProbe
from vibethinker_server.engine_args import (
    ANY_ADDRESS,
    render_engine_args,
    render_engine_environment,
)
from vibethinker_server.engine_command import render_command
from vibethinker_server.engine_settings import (
    Backend,
    Device,
    EngineSettings,
    parse_engine_settings,
)
from vibethinker_server.fleet import Fleet
from vibethinker_server.key_file import KeyFile
from vibethinker_server.llama_cpp.launch import build_llama_probe, run_llama_proxy, show_llama_args
from vibethinker_server.ops_server import OpsRoutes, OpsServer
from vibethinker_server.parent import end_with
from vibethinker_server.peer_reader import PeerReader
from vibethinker_server.policy import OverloadPolicy, Policy, Saturation
from vibethinker_server.policy_document import DocumentError, parse_policy
from vibethinker_server.quantization_check import check_quantization
from vibethinker_server.quiet_end import quiet_end
from vibethinker_server.readings import Reader
from vibethinker_server.runtime import Clock, Runtime, install
from vibethinker_server.start_error import StartError

# The resource's own defaults, for a start without the operator's document.
DEFAULT_POLICY = Policy(
    generation=0,
    saturation=Saturation(0.75, 0.65, request_queue_length=4, sustained_seconds=10.0),
    overload=OverloadPolicy.SCALE_OUT_THEN_REJECT,
    max_queued_requests=64,
    token_limits={"math": 512, "code": 768, "qa": 256},
    default_task="code",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Launch:
    """Our state, and the program, variables and flags that the engine is started with."""

    runtime: Runtime
    program: str
    variables: Mapping[str, str]
    args: list[str]


def serve() -> None:
    """Serves until the process is told to end.

    Raises:
        SettingsError: the environment holds no valid engine settings.
        StartError: the file that it names holds no policy, there is no engine here, or none that
            can load the model.
        OSError: the ops port is taken.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    environment = os.environ
    end_with(environment.get(names.ENV_PARENT, ""))
    launch = prepare_launch(environment)
    runtime = launch.runtime
    check_quantization(runtime.settings, environment)
    install(runtime)
    quiet_end(runtime)
    environment.update(launch.variables)
    start_threads(runtime, build_probe(runtime.settings, environment), environment)
    if runtime.settings.backend is Backend.LLAMA_CPP:
        run_llama_proxy(runtime, environment.get(names.ENV_HOST, ANY_ADDRESS), environment)
    else:
        run_engine(launch.args)


def show_command(environment: Mapping[str, str], shown: Mapping[str, str] | None = None) -> str:
    """Returns the command that `serve` would run in this environment; starts nothing.

    Args:
        environment: what `serve` would be started with.
        shown: those of its variables that the engine needs beside the ones `serve` sets.

    Raises:
        SettingsError: the environment holds no valid engine settings.
        StartError: the file that it names holds no policy.
    """
    launch = prepare_launch(environment)
    return render_command(launch.program, launch.args, {**launch.variables, **(shown or {})})


def prepare_launch(environment: Mapping[str, str]) -> Launch:
    """Returns what `serve` starts in this environment; starts nothing.

    Raises:
        SettingsError: the environment holds no valid engine settings.
        StartError: the file that it names holds no policy.
    """
    settings = parse_engine_settings(environment.get(names.ENV_ENGINE, ""))
    files = Path(environment.get(names.ENV_FILES, names.FILES_PATH))
    runtime = build_runtime(settings, files, environment)
    if settings.backend is Backend.LLAMA_CPP:
        args = show_llama_args(settings, environment)
        return Launch(runtime, program=names.LLAMA_SERVER, variables={}, args=args)
    token = files / names.HUB_TOKEN_FILE
    hub_token = str(token) if token.exists() else None
    host = environment.get(names.ENV_HOST, ANY_ADDRESS)
    return Launch(
        runtime,
        program=f"python3 -m {find_engine_module() or names.ENGINE_MODULES[0]}",
        variables=render_engine_environment(settings, environment, hub_token),
        args=render_engine_args(settings, runtime.max_new_tokens, host),
    )


def build_runtime(settings: EngineSettings, files: Path, environment: Mapping[str, str]) -> Runtime:
    """Returns the process's state with the policy that lies below `files`."""
    name = environment.get(names.ENV_POD_NAME) or environment.get(names.ENV_HOSTNAME) or "unknown"
    keys = environment.get(names.ENV_API_KEYS)
    return Runtime(
        settings=settings,
        fleet=Fleet(choose_policy(files, environment)),
        clock=Clock(monotonic=time.monotonic, unix=time.time),  # noqa: TID251 (the edge)
        chance=random.SystemRandom().random,
        ticket_file=KeyFile(files / names.TICKET_KEY_FILE),
        token_file=KeyFile(files / names.FLEET_TOKEN_FILE),
        served_by=name.encode("ascii", "replace"),
        api_keys=ApiKeys(Path(keys)) if keys else None,
    )


def choose_policy(files: Path, environment: Mapping[str, str]) -> Policy:
    """Returns the policy of a file that a person named, the defaults, or the operator's.

    Raises:
        StartError: the file named holds no policy.
    """
    named = environment.get(names.ENV_POLICY)
    if named is None:
        return read_policy(files / names.POLICY_FILE)
    if not named:
        return DEFAULT_POLICY
    try:
        return parse_policy(Path(named).read_bytes())
    except OSError as error:
        raise StartError(f"policy {named}: cannot be read: {error.strerror}") from error
    except DocumentError as error:
        raise StartError(f"policy {named}: {error}") from error


def read_policy(file: Path) -> Policy:
    """Returns the policy in `file`, or the defaults where there is none.

    Raises:
        StartError: it holds no policy: presets and caps that somebody wrote would be left out.
    """
    try:
        return parse_policy(file.read_bytes())
    except OSError:
        log.warning("%s cannot be read: the defaults hold until the operator calls", file)
    except DocumentError as error:
        raise StartError(
            f"policy {file} is refused, and no pod starts without it: {error}"
        ) from error
    return DEFAULT_POLICY


def build_probe(settings: EngineSettings, environment: Mapping[str, str]) -> DeviceProbe:
    """Returns what reads the memory of the engine's device."""
    if settings.backend is Backend.LLAMA_CPP:
        return build_llama_probe(environment)
    if settings.device is Device.CPU:
        return CgroupProbe()
    import pynvml  # noqa: PLC0415 (only GPU images bring it)

    return NvmlProbe(pynvml, environment)


def start_threads(runtime: Runtime, probe: DeviceProbe, environment: Mapping[str, str]) -> None:
    """Opens the ops port and starts the reader; both end with the process."""
    address = (environment.get(names.ENV_HOST, ANY_ADDRESS), runtime.settings.ops_port)
    server = OpsServer(address, OpsRoutes(runtime))
    reader = Reader(runtime, probe, environment)
    reader.read(runtime.clock.monotonic())  # the first phase shown is then the right one
    Thread(target=server.serve_forever, name="vibethinker-ops", daemon=True).start()
    Thread(target=reader.run, args=(Event(),), name="vibethinker-reader", daemon=True).start()
    peers = PeerReader(runtime)
    Thread(target=peers.run, args=(Event(),), name="vibethinker-peers", daemon=True).start()


def run_engine(args: list[str]) -> None:
    """Runs vLLM's API server as this process's main program.

    Its children are spawned and import the main module anew: with `alter_sys` that is vLLM's own,
    so none of them opens a second ops port.
    """
    module = find_engine_module()
    if module is None:
        raise StartError(f"no vLLM here has any of {', '.join(names.ENGINE_MODULES)}")
    sys.argv = [module, *args]
    log.info("starting %s %s", module, " ".join(args))
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def find_engine_module() -> str | None:
    """Returns the entry module of the vLLM that is installed, None where there is none.

    By its file: to ask Python for a module imports its packages, which takes vLLM ten seconds.
    """
    spec = find_spec("vllm")
    roots = [] if spec is None else list(spec.submodule_search_locations or ())
    for name in names.ENGINE_MODULES:
        parts = name.split(".")[1:]
        if any(Path(root, *parts).with_suffix(".py").is_file() for root in roots):
            return name
    return None
