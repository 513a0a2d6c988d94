import os
import subprocess
import sys
from pathlib import Path

from vibethinker_server.process_memory import read_resident_bytes

HOLD = "import sys; held = bytearray(64 * 2**20); print('held', flush=True); sys.stdin.read()"


def test_a_childs_memory_counts():
    before = read_resident_bytes()
    assert before is not None
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == "held\n"
        during = read_resident_bytes()
        child.communicate()
    assert during is not None
    assert during - before > 60 * 2**20


def test_a_process_that_cannot_be_read_is_unknown_and_not_0(tmp_path: Path):
    assert read_resident_bytes(proc=tmp_path) is None
    status = tmp_path / str(os.getpid()) / "status"
    status.parent.mkdir()
    status.write_text("Name: x\n")
    assert read_resident_bytes(proc=tmp_path) is None
    status.write_text("Name: x\nRssAnon:\t  12 kB\nRssFile: 9 kB\n")
    assert read_resident_bytes(proc=tmp_path) == 12 * 1024
