"""Tags as a workbook (XLSX), a row for each, with the columns of Neuron's template and the rest of ours.

A workbook of somebody else's may be made to unpack into more than memory holds: its size is looked at before it is
read, and no more rows are read than a service can have tags.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rookery.edge.errors import BODY_IS_WRONG, EdgeError
from rookery.edge.model import TAGS_MAX, Attribute, Group, Tag, TagType
from rookery.edge.wire import tag_of, value_json
from rookery.words import Words

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BYTES_MAX = 32 << 20
UNPACKED_BYTES_MAX = 512 << 20
DEFAULT_INTERVAL_MS = 1000
WRONG_MAX = 20
"""Of more rows that are wrong only the first are told."""

COLUMNS = (
    *("group", "interval", "name", "address", "attribute", "type", "description"),
    *("decimal", "precision", "bias", "unit", "value"),
)
NEEDED = ("group", "name", "type")
_ATTRIBUTES = {
    "read": Attribute.READ,
    "write": Attribute.WRITE,
    "subscribe": Attribute.SUBSCRIBE,
    "static": Attribute.STATIC,
}
_TYPES = {kind.name.lower(): kind for kind in TagType}

_NO_WORKBOOK = Words("this is no XLSX workbook", "不是有效的 XLSX 文件")
_TOO_LARGE = Words("the workbook is too large: at most {most} tags", "文件过大：最多 {most} 个点位")
_NO_COLUMN = Words(
    "the first row has to name the columns; missing: {names}", "首行应为列名，缺少：{names}"
)
_NO_EXTRA = Words(
    "workbooks need the package openpyxl: pip install 'rookery[edge]'",
    "读写 XLSX 需要 openpyxl：pip install 'rookery[edge]'",
)
_ROW = Words("row {row}: {reason}", "第 {row} 行：{reason}")
_NO_ATTRIBUTE = Words(
    "attribute {value}: write read, write, subscribe or static, with spaces between",
    "属性 {value}：应为 read、write、subscribe、static，以空格分隔",
)
_NO_TYPE = Words("type {value}: must be one of {types}", "类型 {value}：应为 {types} 之一")
_NO_GROUP = Words("the group is missing", "缺少组名")
_NO_INTERVAL = Words(
    "interval {value}: must be a whole number of milliseconds", "采集间隔 {value}：应为整数毫秒"
)
_TWICE = Words("{group} has a tag {name} above already", "{group} 中的点位 {name} 重复")


class RowsRead(NamedTuple):
    """What a workbook holds: groups by name; an interval where one is written."""

    groups: Mapping[str, Mapping[str, Tag]]
    intervals: Mapping[str, int]


def written(groups: Iterable[Group]) -> bytes:
    """The workbook.

    Raises:
        EdgeError: the package for it is not installed.
    """
    book = _openpyxl().Workbook(write_only=True)
    sheet = book.create_sheet("tags")
    sheet.append(COLUMNS)
    for group in groups:
        for tag in group.tags.values():
            sheet.append([_text(cell) for cell in _cells(group, tag)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(content: bytes) -> RowsRead:
    """The tags of a workbook.

    Raises:
        EdgeError: it is none, or rows are wrong: says which and why.
    """
    openpyxl = _openpyxl()
    _check_size(content)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        try:
            return _read(book.worksheets[0])
        finally:
            book.close()
    except EdgeError:
        raise
    # What is wrong inside a workbook comes out of the library as whatever it stumbles over.
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        SyntaxError,
    ) as error:
        raise EdgeError(BODY_IS_WRONG, reason=_NO_WORKBOOK) from error


def _openpyxl() -> Any:
    try:
        import openpyxl  # noqa: PLC0415 - of the extra, and slow to load
    except ImportError:
        raise EdgeError(BODY_IS_WRONG, reason=_NO_EXTRA) from None
    return openpyxl


def _check_size(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError):
        raise EdgeError(BODY_IS_WRONG, reason=_NO_WORKBOOK) from None
    if unpacked > UNPACKED_BYTES_MAX:
        raise EdgeError(BODY_IS_WRONG, reason=_TOO_LARGE.format(most=TAGS_MAX))


def _read(sheet: Any) -> RowsRead:
    rows = sheet.iter_rows(values_only=True)
    head = [str(cell or "").strip().lower() for cell in next(rows, ())]
    missing = [name for name in NEEDED if name not in head]
    if missing:
        raise EdgeError(BODY_IS_WRONG, reason=_NO_COLUMN.format(names=", ".join(missing)))
    groups: dict[str, dict[str, Tag]] = {}
    intervals: dict[str, int] = {}
    wrong: list[Words] = []
    for number, cells in enumerate(rows, start=2):
        if number > TAGS_MAX + 1:
            raise EdgeError(BODY_IS_WRONG, reason=_TOO_LARGE.format(most=TAGS_MAX))
        row = {name: cell for name, cell in zip(head, cells, strict=False) if cell is not None}
        if not row:
            continue
        try:
            _take(row, groups, intervals)
        except _WrongRowError as error:
            wrong.append(_ROW.format(row=number, reason=error.words))
        if len(wrong) >= WRONG_MAX:
            break
    if wrong:
        raise EdgeError(BODY_IS_WRONG, reason=_joined(wrong))
    return RowsRead(groups, intervals)


class _WrongRowError(Exception):
    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


def _take(
    row: Mapping[str, Any], groups: dict[str, dict[str, Tag]], intervals: dict[str, int]
) -> None:
    group = _written(row.get("group"))
    if not group:
        raise _WrongRowError(_NO_GROUP)
    if "interval" in row:
        intervals[group] = _interval(row["interval"])
    raw = {
        "name": _written(row.get("name")),
        "address": _written(row.get("address")),
        "attribute": int(_attribute(row.get("attribute"))),
        "type": int(_type(row.get("type"))),
        "description": _written(row.get("description")),
        "unit": _written(row.get("unit")),
        **{name: row[name] for name in ("decimal", "precision", "bias", "value") if name in row},
    }
    try:
        tag = tag_of(raw)
    except EdgeError as error:
        raise _WrongRowError(error.words) from None
    tags = groups.setdefault(group, {})
    if tag.name in tags:
        raise _WrongRowError(_TWICE.format(group=group, name=tag.name))
    tags[tag.name] = tag


def _cells(group: Group, tag: Tag) -> Iterator[Any]:
    words = [word for word, flag in _ATTRIBUTES.items() if flag in tag.attribute]
    yield from (group.name, group.interval_ms, tag.name, tag.address)
    yield from (" ".join(word.capitalize() for word in words), tag.type.name, tag.description)
    yield from (tag.decimal or None, tag.precision or None, tag.bias or None, tag.unit)
    value = value_json(tag.value) if tag.value is not None else None
    yield str(value) if isinstance(value, list) else value


def _text(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula stays text."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@"):
        return "'" + cell
    return cell


def _written(cell: Any) -> str:
    text = "" if cell is None else str(cell).strip()
    # As `_text` wrote it.
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def _attribute(cell: Any) -> Attribute:
    if cell is None:
        return Attribute.READ
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and 0 < cell < 16:
        return Attribute(int(cell))
    found = Attribute(0)
    for word in str(cell).replace(",", " ").replace("|", " ").lower().split():
        flag = _ATTRIBUTES.get(word)
        if flag is None:
            raise _WrongRowError(_NO_ATTRIBUTE.format(value=cell))
        found |= flag
    return found or Attribute.READ


def _type(cell: Any) -> TagType:
    found = _TYPES.get(str(cell or "").strip().lower())
    if found is None:
        types = ", ".join(kind.name for kind in TagType)
        raise _WrongRowError(_NO_TYPE.format(value=cell, types=types))
    return found


def _interval(cell: Any) -> int:
    try:
        return int(str(cell))
    except ValueError:
        raise _WrongRowError(_NO_INTERVAL.format(value=cell)) from None


def _joined(wrong: Sequence[Words]) -> Words:
    return Words("; ".join(one.en for one in wrong), "；".join(one.zh for one in wrong))
