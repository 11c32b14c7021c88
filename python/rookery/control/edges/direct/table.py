"""Edge services at addresses as a table in a file: ours, and that of ECP where its columns say the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rookery.control.clusters.models import Entry
from rookery.control.edges.direct import texts
from rookery.control.edges.direct.models import Direct
from rookery.control.edges.direct.service import Refused, Wanted
from rookery.control.errors import InvalidError

COLUMNS = (
    "name", "address", "username", "password", "certificateSha256", "labels", "description",
)  # fmt: skip
OTHERS = ("endpoint", "scheme", "tagName", "nodeType", "category")
"""Of ECP: the address in two, one label, and what says that it is reached directly."""
ROWS_MAX = 1000
BYTES_MAX = 4 << 20
CELL_LENGTH_MAX = 4096
EXAMPLE = ("hall-3", "https://10.0.0.7:8085", "admin", "its-password", "", "site=east area=2", "")
# What a spreadsheet would take for a formula stands behind this mark.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it Excel takes UTF-8 for something else."""


def written(rows: Iterable[Sequence[str]]) -> bytes:
    """A file with these rows below the head."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([[_safe(cell) for cell in row] for row in rows])
    return (MARK + text.getvalue()).encode()


def read(data: bytes) -> tuple[list[Wanted], list[Refused]]:
    """What stands in a file, and which lines say nothing that can be.

    Raises:
        InvalidError: it is no such file.
    """
    lines = _lines(data)
    _, head = next(lines, (0, []))
    names = [name.strip() for name in head]
    known = (*COLUMNS, *OTHERS)
    for name in names:
        if name not in known:
            raise InvalidError(texts.OTHER_COLUMN, name=repr(name[:50]), known=", ".join(known))
    if "name" not in names:
        raise InvalidError(texts.NO_COLUMN, name="name")
    if "address" not in names and "endpoint" not in names:
        raise InvalidError(texts.NO_COLUMN, name="address")
    found: list[Wanted] = []
    refused: list[Refused] = []
    for line, cells in lines:
        if len(found) + len(refused) >= ROWS_MAX:
            raise InvalidError(texts.TOO_MANY_ROWS, most=ROWS_MAX)
        row = dict(zip(names, cells, strict=False))
        try:
            found.append(_wanted(row, line))
        except InvalidError as error:
            refused.append(Refused(line, error))
    if not found and not refused:
        raise InvalidError(texts.NO_ROWS)
    return _single(found, refused)


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold something, each with the number of its line."""
    csv.field_size_limit(CELL_LENGTH_MAX)
    try:
        text = data.decode("utf-8").removeprefix(MARK)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [_plain(cell) for cell in cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidError(texts.NO_TABLE, reason=error) from None


def _wanted(row: Mapping[str, str], line: int) -> Wanted:
    kind = row.get("nodeType", "").strip()
    if kind.lower() not in ("", "direct", "4"):
        raise InvalidError(texts.ONLY_DIRECT, given=repr(kind[:50]))
    address = row.get("address", "").strip() or row.get("endpoint", "").strip()
    if "://" not in address:
        address = f"{row.get('scheme', '').strip() or 'https'}://{address}"
    labels = f"{row.get('labels', '')} {row.get('tagName', '')}".replace(",", " ").split()
    entry = Entry(row.get("name", ""), description=row.get("description", ""), labels=labels)
    return Wanted(
        entry,
        Direct(
            address,
            row.get("username", "").strip() or "admin",
            row.get("password") or None,
            row.get("certificateSha256", ""),
        ),
        line,
    )


def _single(
    found: Sequence[Wanted], refused: Sequence[Refused]
) -> tuple[list[Wanted], list[Refused]]:
    """Without those that are in the file twice: which of them is meant nobody can know."""
    kept: list[Wanted] = []
    wrong = list(refused)
    names: dict[str, int] = {}
    addresses: dict[str, int] = {}
    for each in found:
        name, address = each.entry.name.strip(), each.direct.address.rstrip("/").lower()
        if name in names:
            error = InvalidError(texts.TWICE, line=names[name], what="name", what_zh="名称")
            wrong.append(Refused(each.line, error))
        elif address in addresses:
            error = InvalidError(
                texts.TWICE, line=addresses[address], what="address", what_zh="地址"
            )
            wrong.append(Refused(each.line, error))
        else:
            kept.append(each)
        names.setdefault(name, each.line)
        addresses.setdefault(address, each.line)
    return kept, wrong


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell
