import os
import socket
from collections.abc import Iterator

import pytest
from vibethinker_server.one_click.ports import check_port, find_listener
from vibethinker_server.start_error import StartError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        yield listener.getsockname()[1]


def test_a_free_port_is_left_free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        check_port("127.0.0.1", port, "--port")


def test_a_taken_port_is_refused_with_its_holder_and_the_option(taken: int):
    message = rf"port {taken} is taken by process {os.getpid()} \(.+\): .*--ops-port"
    with pytest.raises(StartError, match=message):
        check_port("127.0.0.1", taken, "--ops-port")


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_that_does_not_exist_is_refused(port: int):
    with pytest.raises(StartError, match=f"port {port} does not exist.*--ops-port"):
        check_port("127.0.0.1", port, "--ops-port")


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(StartError, match="see --host"):
        check_port("192.0.2.1", 8080, "--port")


def test_nobody_is_named_where_nobody_listens():
    assert find_listener(1) is None
