"""The box from a shell: python3 -m tests.cluster up|down|shell|status|images|kubectl."""

import argparse
import os
import sys
from pathlib import Path

from tests.cluster.box import Box
from tests.cluster.capabilities import CapabilityError
from tests.cluster.commands import CommandError
from tests.cluster.images import ALL
from tests.cluster.process import BoxError
from tests.cluster.start import DEFAULT_NAME, start_box


def main() -> None:
    """Carry out one command; its errors become one message and status 1."""
    options = parse_options()
    try:
        options.run(options)
    except (BoxError, CapabilityError, CommandError) as error:
        sys.exit(f"cluster: {error}")


def parse_options() -> argparse.Namespace:
    """Return the command line's options; `run` is the function of the command."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.cluster", description=__doc__)
    parser.add_argument("--name", default=DEFAULT_NAME, help="which box (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("up", help="start the box").set_defaults(run=up)
    down_parser = commands.add_parser("down", help="end the box and remove what it left")
    down_parser.add_argument("--purge", action="store_true", help="remove its images too")
    down_parser.set_defaults(run=down)
    commands.add_parser("status", help="print the state of each component").set_defaults(run=status)
    images_parser = commands.add_parser("images", help="build images and load them into the box")
    images_parser.add_argument("names", nargs="*", help=f"of {', '.join(i.name for i in ALL)}")
    images_parser.set_defaults(run=images)
    shell_help = "run a shell, or the command that follows, inside the box"
    commands.add_parser("shell", help=shell_help).set_defaults(run=shell)
    kubectl_help = "run kubectl inside the box with all that follows"
    commands.add_parser("kubectl", help=kubectl_help).set_defaults(run=kubectl)
    words = sys.argv[1:]
    # What follows these two belongs to another program, its options too.
    own = next((i + 1 for i, word in enumerate(words) if word in {"shell", "kubectl"}), len(words))
    options = parser.parse_args(words[:own])
    options.argv = words[own:]
    return options


def up(options: argparse.Namespace) -> None:
    """Start the box."""
    start_box(options.name)


def down(options: argparse.Namespace) -> None:
    """End the box."""
    Box(options.name).stop(purge=options.purge)


def status(options: argparse.Namespace) -> None:
    """Print one line for each component."""
    box = Box(options.name)
    print(f"box {box.name}: process {box.pid}, kubeconfig {box.kubeconfig}")
    for component, state in box.control().items():
        print(f"  {component}: {state}")


def images(options: argparse.Namespace) -> None:
    """Build and load the named images, or all."""
    known = {image.name: image for image in ALL}
    unknown = set(options.names) - set(known)
    if unknown:
        sys.exit(f"cluster: no image is named {', '.join(unknown)}; there are {', '.join(known)}")
    start_box(options.name, [known[name] for name in options.names or known])


def shell(options: argparse.Namespace) -> None:
    """Become a shell inside the box, with kubectl's configuration set."""
    box = Box(options.name)
    programs = Path(box.kubectl_command[0]).parent
    os.environ["KUBECONFIG"] = str(box.kubeconfig)
    os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
    become(box.enter(options.argv or [os.environ.get("SHELL", "/bin/sh")]))


def kubectl(options: argparse.Namespace) -> None:
    """Become kubectl inside the box."""
    box = Box(options.name)
    become(box.enter([*box.kubectl_command, *options.argv]))


def become(argv: list[str]) -> None:
    """Replace this process by a program."""
    os.execvp(argv[0], argv)  # noqa: S606 - the words come from this file or from who typed them


if __name__ == "__main__":
    main()
