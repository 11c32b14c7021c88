"""Addresses of databases and of other services."""

from __future__ import annotations

import pytest

from rookery.access.databases.settings import host_and_port
from rookery.access.errors import SettingError


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("db.example.com", ("db.example.com", 5432)),
        (" db:1 ", ("db", 1)),
        ("10.0.0.7:65535", ("10.0.0.7", 65535)),
        ("::1", ("::1", 5432)),
        ("[::1]", ("::1", 5432)),
        ("[fe80::1]:6000", ("fe80::1", 6000)),
    ],
)
def test_an_address_is_a_host_and_a_port(server: str, found: tuple[str, int]) -> None:
    assert host_and_port(server, 5432, "here") == found


@pytest.mark.parametrize(
    "server",
    [
        "",
        ":1",
        "db:",
        "db:0",
        "db:65536",
        "db:1:1",
        "a b:1",
        "http://db:1",
        "[db]:x",
        "[::1",
        "a,b:1",
    ],
)
def test_what_is_none_is_refused(server: str) -> None:
    with pytest.raises(SettingError, match=r"^here: .*is not host:port$"):
        host_and_port(server, 5432, "here")


def test_a_password_before_the_address_is_not_repeated() -> None:
    with pytest.raises(SettingError) as caught:
        host_and_port("http://me:it@is@secret@db:1", 5432, "here")
    assert str(caught.value) == "here: ******@db:1 is not host:port"
