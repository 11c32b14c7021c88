"""Tags as a workbook."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from rookery.edge.errors import EdgeError
from rookery.edge.model import Attribute, Group, Tag, TagType
from rookery.edge.transfer import workbook

TAGS = (
    Tag(name="level", type=TagType.INT16, address="1!40001", attribute=Attribute.READ),
    Tag(
        name="target",
        type=TagType.FLOAT,
        address="1!40002",
        attribute=Attribute.READ | Attribute.WRITE,
        decimal=0.1,
        bias=-2.5,
        precision=2,
        unit="°C",
        description="温度",
    ),
    Tag(name="line", type=TagType.STRING, attribute=Attribute.STATIC, value="north"),
    Tag(name="=1+1", type=TagType.BIT, address="1!00001", description="@sum"),
)


def group(*tags: Tag, interval_ms: int = 500) -> Group:
    return Group(name="line-1", interval_ms=interval_ms, tags={tag.name: tag for tag in tags})


def book(*rows: tuple[object, ...]) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append(list(row))
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def wrong(content: bytes) -> str:
    with pytest.raises(EdgeError) as found:
        workbook.read(content)
    assert found.value.number == 1002
    return found.value.message


def test_what_is_written_is_read_again() -> None:
    found = workbook.read(workbook.written([group(*TAGS)]))
    assert tuple(found.groups["line-1"].values()) == TAGS
    assert found.intervals == {"line-1": 500}


def test_no_cell_is_a_formula() -> None:
    made = openpyxl.load_workbook(io.BytesIO(workbook.written([group(*TAGS)])))
    sheet = made.active
    assert isinstance(sheet, Worksheet)
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]


def test_a_template_of_neuron_is_read() -> None:
    head = ("group", "interval", "name", "address", "attribute", "type", "description")
    row = ("g", 1000, "t", "1!40001#B", "Read Write Subscribe", "INT16", None)
    tag = workbook.read(book(head, row)).groups["g"]["t"]
    assert tag.attribute == Attribute.READ | Attribute.WRITE | Attribute.SUBSCRIBE
    assert (tag.type, tag.address) == (TagType.INT16, "1!40001#B")


def test_everything_that_is_wrong_is_told_with_its_row() -> None:
    head = ("group", "name", "type", "attribute")
    rows = [("g", "a", "INT16", "Read"), ("g", "b", "INT99", "Read"), (None, "c", "BIT", "Read"),
            ("g", "d", "BIT", "Look"), ("g", "a", "BIT", "Read")]  # fmt: skip
    text = wrong(book(head, *rows))
    assert all(f"row {number}:" in text for number in (3, 4, 5, 6))
    assert "row 2:" not in text


@pytest.mark.parametrize("content", [b"", b"group,name\n", b"PK\x03\x04nothing"])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    assert "XLSX" in wrong(content)


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello", "there")
    assert "XLSX" in wrong(file.getvalue())


def test_what_unpacks_into_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "UNPACKED_BYTES_MAX", 1000)
    assert "too large" in wrong(workbook.written([group(*TAGS)]))


def test_missing_columns_are_named() -> None:
    assert "group, type" in wrong(book(("name", "address"), ("a", "b")))
