"""The management plane's sockets are private, and a taken port is named."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from rookery.config.local_socket import reachable, socket_path
from rookery.errors import PortInUseError, StartError
from rookery.web.sockets import open_http, open_unix


def connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client, reachable(path) as address:
        try:
            client.connect(address)
        except OSError:
            return False
        return True


def test_only_the_owner_can_reach_the_socket(tmp_path: Path) -> None:
    with open_unix(socket_path(tmp_path)):
        path = socket_path(tmp_path)

        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert connects(path)


def test_what_a_killed_node_left_is_replaced(tmp_path: Path) -> None:
    open_unix(socket_path(tmp_path)).close()
    assert not connects(socket_path(tmp_path))

    with open_unix(socket_path(tmp_path)):
        assert connects(socket_path(tmp_path))


def test_a_deep_directory_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)

    with open_unix(socket_path(deep)):
        assert connects(socket_path(deep))


def test_a_folder_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")

    with pytest.raises(StartError, match="management socket"):
        open_unix(socket_path(tmp_path))


def test_a_taken_port_is_named() -> None:
    with open_http("127.0.0.1", 0) as first:
        port = first.getsockname()[1]

        with pytest.raises(PortInUseError) as caught:
            open_http("127.0.0.1", port)

    assert caught.value.address == f"127.0.0.1:{port}"
    assert caught.value.listener == "http:dashboard"


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StartError, match=r"192\.0\.2\.1:0"):
        open_http("192.0.2.1", 0)


async def test_small_parts_of_an_answer_leave_at_once() -> None:
    options: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def served(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        options.set_result(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = open_http("127.0.0.1", 0)
    async with await asyncio.start_server(served, sock=listening):
        with socket.create_connection(listening.getsockname()):
            async with asyncio.timeout(60):
                assert await options
