"""What may be said about an edge service at an address, and in a file of many."""

from __future__ import annotations

import pytest

from rookery.control.alarms.push.network import Targets
from rookery.control.edges.direct import table
from rookery.control.edges.direct.models import Direct, address_of
from rookery.control.errors import InvalidError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://10.0.0.7", "https://10.0.0.7:8085"),
        (" http://GW-7.plant:80/ ", "http://gw-7.plant:80"),
        ("https://[fd00::7]:8086", "https://[fd00::7]:8086"),
    ],
)
def test_an_address_is_kept_in_one_form(given: str, kept: str) -> None:
    assert address_of(given, Targets.PRIVATE) == kept


@pytest.mark.parametrize(
    "given",
    [
        "", "10.0.0.7", "ftp://10.0.0.7", "https://", "https://10.0.0.7:99999", "https://10.0.0.7:0",
        "https://10.0.0.7/pages", "https://10.0.0.7?a=b", "https://10.0.0.7/#a", "https://a b",
        "https://ada:word@10.0.0.7", "https://10.0.0.7\\@evil", "https://x" + "x" * 300,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InvalidError, match="http"):
        address_of(given, Targets.ANY)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0x7f000001", "127.1", "0.0.0.0"],
)
def test_the_machine_itself_is_not_reached_by_default(host: str) -> None:
    with pytest.raises(InvalidError, match=r"control\.edges\.targets|write 127"):
        address_of(f"http://{host}:8085", Targets.PRIVATE)


def test_a_password_is_in_no_words_about_it() -> None:
    assert "word-7" not in repr(Direct("https://10.0.0.7", "admin", "word-7"))


def test_what_is_written_can_be_read_again_and_is_no_formula() -> None:
    rows = [("=cmd", "https://10.0.0.7:8085", "admin", "-x", "", "a=b c", 'say "hi", 压机')]
    written = table.written(rows)
    assert b"\r\n'=cmd," in written
    [wanted], refused = table.read(written)
    assert refused == []
    assert (wanted.entry.name, wanted.direct.password, wanted.entry.labels) == (
        "=cmd", "-x", ["a=b", "c"],
    )  # fmt: skip
    assert wanted.entry.description == 'say "hi", 压机'


def test_lines_are_numbered_as_a_spreadsheet_does() -> None:
    text = 'name,address,password\n\na,https://10.0.0.1,x\n"b\nb",https://10.0.0.1,x\na,https://10.0.0.3,x\n'
    found, refused = table.read(text.encode())
    assert [one.line for one in found] == [3]
    assert [(one.line, one.error.text("zh")) for one in refused] == [
        (5, "与第 3 行的地址相同"), (6, "与第 3 行的名称相同"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no column name"),
        (b"name,address\n", "no row"),
        (b"name,colour\nx,red\n", "colour"),
        (b"name\nx\n", "address"),
        (b"name,address\n\xff\n", "UTF-8"),
        (b"name,address\n" + b"x" * 5000 + b",y\n", "comma-separated"),
        (b"name,address\n" + b"x,y\n" * 1001, "at most 1000"),
    ],
)
def test_what_is_no_such_file_is_told(data: bytes, words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        table.read(data)
