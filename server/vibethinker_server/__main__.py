"""The command: `vibethinker-server serve` in the pod, `vibethinker-server drain` as its preStop."""

import argparse
import sys

from vibethinker_server.early_sigterm import take_early_sigterm


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit status."""
    # Before the imports, which take a second: the first process of a container has no default
    # action for SIGTERM, and kubelet would wait out the whole grace period.
    take_early_sigterm()
    parser = argparse.ArgumentParser(prog="vibethinker-server", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="open the ops port and run vLLM")
    commands.add_parser("drain", help="mark this pod's server as draining and wait for it")
    command = parser.parse_args(arguments).command
    try:
        if command == "drain":
            from vibethinker_server.drain import drain  # noqa: PLC0415 (after the handler)

            drain()
        else:
            from vibethinker_server.serve import serve  # noqa: PLC0415 (after the handler)

            serve()
    except (ValueError, OSError) as error:
        print(f"vibethinker-server {command}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
