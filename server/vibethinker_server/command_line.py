"""The command line, and what a person said on it."""

import argparse
from pathlib import Path

from vibethinker_server import names
from vibethinker_server.checkpoint.int8_layout import Method
from vibethinker_server.engine_settings import Device
from vibethinker_server.one_click.options import (
    DEFAULT_LOG,
    DEFAULT_MODEL,
    DEFAULT_SERVED_NAME,
    LOOPBACK,
    StartOptions,
    parse_change,
)

DEVICES = {"auto": None, "gpu": Device.GPU, "cpu": Device.CPU}
PRINT_ARGS = "show the exact vLLM command and start nothing"


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of every command."""
    parser = argparse.ArgumentParser(
        prog=names.PROGRAM, description="VibeThinker-1.5B on vLLM, behind its own door."
    )
    parser.add_argument(
        "--print-args",
        action="store_true",
        help=f"{PRINT_ARGS}: that of `serve` in a pod, that of `start` elsewhere",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_start(commands.add_parser("start", help="run on this machine, without Kubernetes"))
    stop = commands.add_parser("stop", help="end what `start --background` started")
    _add_log(stop)
    serve = commands.add_parser("serve", help="in a pod: open the ops port and run vLLM")
    _add_print_args(serve)
    _add_doctor(commands.add_parser("doctor", help="say what ails the engine beside, and why"))
    commands.add_parser("prepare", help="in a Job: write the weights that a fleet's pods read")
    commands.add_parser("drain", help="in a pod, before its end: drain its server and wait")
    quantize = commands.add_parser("quantize", help="write a checkpoint's weights as INT8")
    _add_quantize(quantize)
    export = commands.add_parser("export-gguf", help="write a checkpoint as GGUF for llama.cpp")
    _add_export(export)
    return parser


def _add_print_args(command: argparse.ArgumentParser) -> None:
    # Without a default of its own, which would win over the option before the command's name.
    command.add_argument(
        "--print-args", action="store_true", default=argparse.SUPPRESS, help=PRINT_ARGS
    )


def _add_log(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--log",
        type=Path,
        default=DEFAULT_LOG,
        metavar="FILE",
        help="the log of a server that runs in the background; its process id lies beside it",
    )


def _add_start(start: argparse.ArgumentParser) -> None:
    add = start.add_argument
    add("--model", default=DEFAULT_MODEL, help="a repository of the hub, or a directory")
    add("--revision", help="branch, tag or commit of the repository (main)")
    add("--served-name", default=DEFAULT_SERVED_NAME, help="the model's name in requests")
    add("--device", choices=DEVICES, default="auto", help="auto: what the installed vLLM is for")
    add("--host", default=LOOPBACK, help="the IPv4 address to listen on; 0.0.0.0: every one")
    add("--port", type=int, default=8080, help="the port for clients")
    add("--ops-port", type=int, help="the port for metrics and probes (the one after --port)")
    add("--policy", type=Path, metavar="FILE", help="lines, caps and profiles; none: the defaults")
    add("--api-keys", type=Path, metavar="DIRECTORY", help="one file a key, named as the key is")
    add(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="one of the engine's settings, instead of what would be picked; may be repeated",
    )
    add("--background", action="store_true", help="return once it serves, and let it run on")
    _add_log(start)
    _add_print_args(start)


def _add_quantize(quantize: argparse.ArgumentParser) -> None:
    add = quantize.add_argument
    _add_source(quantize)
    add("--out", type=Path, required=True, metavar="DIRECTORY", help="the directory to make")
    add(
        "--method",
        type=Method,
        choices=tuple(Method),
        default=Method.W8A8,
        help="w8a8: vLLM reads it by itself; bitsandbytes: needs vllm-bnb-plugin",
    )
    _add_overwrite(quantize)


def _add_export(export: argparse.ArgumentParser) -> None:
    add = export.add_argument
    _add_source(export)
    add("--out", type=Path, required=True, metavar="FILE", help="the file to make")
    add("--outtype", default="f16", metavar="TYPE", help="f16, bf16 or q8_0 (f16)")
    add(
        "--converter",
        type=Path,
        metavar="FILE",
        help="llama.cpp's convert_hf_to_gguf.py instead of the converter that is built in; also"
        f" {names.ENV_GGUF_CONVERTER}",
    )
    _add_overwrite(export)


def _add_source(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", default=DEFAULT_MODEL, help="a repository of the hub, or a directory"
    )
    command.add_argument("--revision", help="branch, tag or commit of the repository (main)")


def _add_overwrite(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--overwrite", action="store_true", help="replace what was made of another checkpoint"
    )


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    add = doctor.add_argument
    add("--url", metavar="URL", help="the ops port (http://127.0.0.1:9100, or 8081 of `start`)")
    add("--client-url", metavar="URL", help="the client port (8000, or 8080 of `start`)")
    _add_log(doctor)
    add("--format", choices=("text", "json"), default="text", help="for people or for programs")


def parse_options(parsed: argparse.Namespace) -> StartOptions:
    """Returns what was said to `start`.

    Raises:
        StartError: a --set is not FIELD=VALUE.
    """
    return StartOptions(
        model=parsed.model,
        revision=parsed.revision,
        served_name=parsed.served_name,
        device=DEVICES[parsed.device],
        host=parsed.host,
        port=parsed.port,
        ops_port=parsed.port + 1 if parsed.ops_port is None else parsed.ops_port,
        policy=parsed.policy,
        api_keys=parsed.api_keys,
        changes=tuple(map(parse_change, parsed.set)),
        background=parsed.background,
        log=parsed.log,
    )
