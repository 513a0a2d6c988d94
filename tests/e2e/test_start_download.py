"""The hub's real library against a hub on loopback, and disks that are too small."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.images import engine_site
from tests.cluster.model import toy_model
from tests.e2e.engine_process import package_site
from tests.e2e.small_disk import small_disk
from tests.e2e.start_process import Person, make_person
from tests.support.stub_hub import serving_hub

MODEL = "WeiboAI/VibeThinker-1.5B"
# No room for it is made out beforehand, as where the hub does not tell a file's size.
UNCHECKED = f"""
from vibethinker_server.one_click import download
download.SPARE_BYTES = -(10**12)
try:
    download.download_model("{MODEL}", "main", print)
except download.StartError as error:
    print(error)
"""


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    """Somebody whose models go to a disk of 8 MB."""
    (tmp_path / "site").mkdir()
    disk = tmp_path / "small disk"
    paths = [package_site(tmp_path / "site"), engine_site()]
    with small_disk(disk, 8), serving_hub(MODEL, toy_model()) as hub:
        yield make_person(tmp_path, paths, HF_ENDPOINT=hub.url, HF_HOME=str(disk))


def test_a_disk_without_room_is_told_of_before_a_byte_of_the_model_comes(person: Person):
    refused = person.start("--set", "kvCacheMemoryBytes=268435456")
    assert refused.returncode == 2
    assert "small disk/hub is too full: the model takes 0.0" in refused.stderr
    assert "HF_HOME" in refused.stderr
    disk = Path(person.environment["HF_HOME"])
    assert not list(disk.rglob("*.safetensors"))


def test_a_disk_that_becomes_full_midway_is_named(person: Person):
    shown = person.run_python("-c", UNCHECKED)
    assert "small disk/hub is full: make room" in shown.stdout, shown.stderr
    assert "goes on where this one ended" in shown.stdout
