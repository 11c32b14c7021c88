"""A driver that reads numbers and texts out of files, such as those of sensors below /sys."""

from __future__ import annotations

from file_driver.driver import FileDriver
from rookery.edge.drivers.base import DriverType, bad_address
from rookery.edge.model import Tag, TagType
from rookery.edge.schema import Field
from rookery.words import Words

NUMBERS = frozenset({TagType.INT64, TagType.DOUBLE, TagType.STRING})


def check_tag(tag: Tag) -> None:
    """Refuse an address that is no file of the folder."""
    parts = tag.address.split("/")
    if not all(parts) or ".." in parts:
        raise bad_address(tag, Words("must be a file below the folder", "应为该目录下的文件"))


TYPE = DriverType(
    name="File",
    title=Words("File", "文件"),
    about=Words("Values out of files, one value a file", "从文件中读取数据，每个文件一个值"),
    fields=(
        Field(
            name="folder",
            type="string",
            title=Words("Folder", "目录"),
            about=Words("Where the files are", "文件所在的目录"),
            is_required=True,
            low=1,
            high=4096,
        ),
    ),
    make=FileDriver,
    check_tag=check_tag,
    types=NUMBERS,
)
