import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SERVER = Path(__file__).parents[3] / "server"
# As vLLM's start: a handler that raises, a child, and a wait that passes over what is raised.
START = """
import multiprocessing, signal, time
from vibethinker_server.early_sigterm import take_early_sigterm

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGTERM, interrupt)
take_early_sigterm()
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
child.start()
print(child.pid, flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    pass
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_sigterm_ends_a_start_and_its_children_though_the_engine_would_pass_over_it():
    with subprocess.Popen(
        [sys.executable, "-c", START], stdout=subprocess.PIPE, env={"PYTHONPATH": str(SERVER)}
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert is_alive(child)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
    deadline = time.monotonic() + 30
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)
