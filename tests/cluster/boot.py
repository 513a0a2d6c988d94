"""The first process of a box: makes the network, starts the components, takes requests.

It runs inside fresh net, mount and pid namespaces; when it ends, all that is in them ends.
Usage: python3 -m tests.cluster.boot NAME PROGRAMS_DIRECTORY
"""

import json
import socket
import sys
import threading
from pathlib import Path

from tests.cluster.commands import run
from tests.cluster.components import components, write_files
from tests.cluster.layout import CONTAINERD_RUN, NODE_ADDRESS, SERVICE_RANGE, Layout
from tests.cluster.stale import remove_stale_containers
from tests.cluster.supervisor import StartError, Supervisor

# kubelet sets these for the whole machine; each is covered by a file of the box instead.
MACHINE_SETTINGS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


def main() -> None:
    """Bring the box up, then answer requests until killed."""
    layout, programs = Layout(sys.argv[1]), Path(sys.argv[2])
    make_network()
    cover_machine(layout)
    write_files(layout)
    supervisor = Supervisor(components(layout, programs), layout.logs)
    threading.Thread(target=supervisor.reap, daemon=True).start()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(layout.control_socket))
        listener.listen()
        problem = start_all(supervisor, layout, programs)
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    answer(connection, supervisor, problem)
                except (OSError, ValueError) as error:  # the box outlives a broken request
                    print(f"a request could not be answered: {error!r}")


def make_network() -> None:
    """Give the box its node address, and a route that Service addresses have without a gateway."""
    for command in (
        "ip link set lo up",
        f"ip address add {NODE_ADDRESS}/32 dev lo",
        f"ip route add {SERVICE_RANGE} dev lo src {NODE_ADDRESS}",
    ):
        run(command.split())
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def cover_machine(layout: Layout) -> None:
    """Cover what the components would change outside the box's directory."""
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    CONTAINERD_RUN.mkdir()
    cover = layout.state / "cover"
    (cover / "log").mkdir(parents=True)
    # kubelet keeps links to the pods' logs in /var/log/containers, wherever the logs are.
    run(["mount", "--bind", cover / "log", "/var/log"])
    for setting in MACHINE_SETTINGS:
        real = Path("/proc/sys", setting)
        copy = cover / setting.replace("/", "_")
        copy.write_text(real.read_text())
        run(["mount", "--bind", copy, real])


def start_all(supervisor: Supervisor, layout: Layout, programs: Path) -> str:
    """Start every component in order; return why one of them failed, or "" where all are ready."""
    try:
        for component in components(layout, programs):
            supervisor.start(component.name)
            if component.name == "containerd" and remove_stale_containers():
                # The CRI plugin read them when it started.
                supervisor.kill("containerd")
                supervisor.start("containerd")
    except (StartError, OSError) as error:
        return str(error)
    return ""


def answer(connection: socket.socket, supervisor: Supervisor, problem: str) -> None:
    """Carry out one request, a line of JSON, and answer with another."""
    request = json.loads(connection.makefile().readline())
    name = request.get("component", "")
    try:
        match request["action"]:
            case "kill":
                supervisor.kill(name)
            case "start":
                supervisor.start(name)
    except KeyError:
        problem = f"no component of the box is named {name!r}"
    except StartError as error:
        problem = str(error)
    reply = {"components": supervisor.status(), "problem": problem}
    connection.sendall(json.dumps(reply).encode() + b"\n")


if __name__ == "__main__":
    main()
