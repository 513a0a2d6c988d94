"""The command: `serve` and `drain` in a pod, `start` and `stop` without Kubernetes, `doctor`."""

import argparse
import os
import sys

from vibethinker_server.early_sigterm import take_early_sigterm


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    # Before the imports, which take a second: the first process of a container has no default
    # action for SIGTERM, and kubelet would wait out the whole grace period.
    take_early_sigterm()
    from vibethinker_server import names  # noqa: PLC0415 (after the handler)
    from vibethinker_server.command_line import build_parser  # noqa: PLC0415

    parser = build_parser()
    parsed = parser.parse_args(arguments)
    if parsed.command is None and not parsed.print_args:
        parser.error("name a command")
    try:
        return show(parsed) if getattr(parsed, "print_args", False) else run(parsed)
    except (ValueError, OSError) as error:
        print(f"{names.PROGRAM} {parsed.command or ''}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def run(parsed: argparse.Namespace) -> int:
    """Runs the command that was named; imports only what it needs."""
    if parsed.command == "drain":
        from vibethinker_server.drain import drain  # noqa: PLC0415 (after the handler)

        drain()
    elif parsed.command == "serve":
        from vibethinker_server.serve import serve  # noqa: PLC0415 (after the handler)

        serve()
    elif parsed.command == "prepare":
        from vibethinker_server.preparation.run import prepare  # noqa: PLC0415 (after the handler)

        return prepare()
    elif parsed.command == "doctor":
        from vibethinker_server.doctor import DoctorOptions, doctor  # noqa: PLC0415 (as above)

        options = DoctorOptions(
            url=parsed.url, client_url=parsed.client_url, log=parsed.log, format=parsed.format
        )
        return doctor(options, os.environ)
    elif parsed.command == "stop":
        from vibethinker_server.one_click.background import stop_server  # noqa: PLC0415 (after the handler)

        stop_server(parsed.log, print)
    elif parsed.command == "quantize":
        from vibethinker_server.quantize_command import run_quantize  # noqa: PLC0415 (as above)

        run_quantize(parsed)
    elif parsed.command == "export-gguf":
        from vibethinker_server.export_command import run_export  # noqa: PLC0415 (as above)

        run_export(parsed)
    else:
        from vibethinker_server.command_line import parse_options  # noqa: PLC0415 (as above)
        from vibethinker_server.one_click.start import start  # noqa: PLC0415 (after the handler)

        return start(parse_options(parsed))
    return 0


def show(parsed: argparse.Namespace) -> int:
    """Shows the engine's command line: in a pod that of `serve`, elsewhere that of `start`."""
    from vibethinker_server import names  # noqa: PLC0415 (after the handler)
    from vibethinker_server.command_line import build_parser, parse_options  # noqa: PLC0415

    if parsed.command == "serve" or (parsed.command is None and names.ENV_ENGINE in os.environ):
        from vibethinker_server.serve import show_command  # noqa: PLC0415 (after the handler)

        print(show_command(os.environ))
        return 0
    from vibethinker_server.one_click.start import show_start  # noqa: PLC0415 (after the handler)

    chosen = parsed if parsed.command else build_parser().parse_args(["start"])
    print(show_start(parse_options(chosen)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
