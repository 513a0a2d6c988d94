"""Whether the two ports are to be had, and who has one that is not."""

import errno
import socket
from pathlib import Path

from vibethinker_server.start_error import StartError

LISTENING = "0A"
HIGHEST = 65_535


def check_port(host: str, port: int, option: str) -> None:
    """Lets the start go on where `port` can be listened on; `option` is what chooses another.

    Raises:
        StartError: it cannot.
    """
    if not 1 <= port <= HIGHEST:
        raise StartError(f"port {port} does not exist: choose one up to {HIGHEST} with {option}")
    with socket.socket() as probe:
        # As the server itself binds: a connection that has just ended is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise StartError(_explain(error, host, port, option)) from error


def _explain(error: OSError, host: str, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        holder = find_listener(port)
        by = f" by {holder}" if holder else ""
        return f"port {port} is taken{by}: end that, or choose another with {option}"
    if error.errno == errno.EACCES:
        return f"port {port} may be opened by root only: choose one above 1023 with {option}"
    return f"{host} is no address of this machine that can be listened on: see --host"


def find_listener(port: int, proc: Path = Path("/proc")) -> str | None:
    """Returns the process that listens on `port`, as far as this user may see it."""
    inodes = {inode for file in ("tcp", "tcp6") for inode in _inodes(proc / "net" / file, port)}
    links = {f"socket:[{inode}]" for inode in inodes}
    for entry in proc.iterdir() if links else ():
        if entry.name.isdigit() and _holds(entry / "fd", links):
            return f"process {entry.name} ({_name(entry)})"
    return None


def _inodes(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    wanted = f":{port:04X}"
    return [row[9] for row in rows if row[1].endswith(wanted) and row[3] == LISTENING]


def _holds(descriptors: Path, links: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in links for link in descriptors.iterdir())
    except OSError:
        return False


def _name(entry: Path) -> str:
    try:
        return (entry / "comm").read_text().strip()
    except OSError:
        return "unknown"
