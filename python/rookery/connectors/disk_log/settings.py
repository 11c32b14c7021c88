"""Settings of files and of what is written into them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rookery.connectors.kinds import KIND, ByteSize
from rookery.connectors.options import ActionOptions
from rookery.connectors.refusals import RefusedValue
from rookery.connectors.settings import ActionSettings, ConnectorSettings, Parameters
from rookery.words import Words

_NO_PATH = Words("must be the path of a file", "应为文件路径")
_HOLDS_UP = Words("must not hold ..", "不能包含 ..")

MIB = 1 << 20


def _checked_path(path: str) -> str:
    if not path.strip() or path.endswith("/") or "\0" in path:
        raise RefusedValue(_NO_PATH)
    if ".." in path.split("/"):
        raise RefusedValue(_HOLDS_UP)
    return path


class DiskLogConnectorSettings(ConnectorSettings):
    """``connectors.disk_log.<name>``."""

    filepath: Annotated[str, AfterValidator(_checked_path)] = Field(
        max_length=1024,
        title="File",
        description="A relative path is below disk_log in the node's data directory; an absolute "
        "one must be below a directory that the configuration allows.",
    )
    max_file_size: Annotated[int, ByteSize(low=1024)] = Field(
        default=50 * MIB,
        title="Size of a file",
        description="A file that would grow beyond it is renamed, and a new one begun.",
    )
    max_file_number: int = Field(
        default=10,
        ge=1,
        le=100,
        title="Number of files",
        description="The oldest are removed: .1 is the youngest of those that were renamed.",
    )


class DiskLogParameters(Parameters):
    """``actions.disk_log.<name>.parameters``."""

    template: str = Field(
        default="${.}",
        min_length=1,
        max_length=1 << 20,
        title="Line",
        description="What is written for every result; line breaks in it become \\n.",
        json_schema_extra={KIND: "body"},
    )
    write_mode: Literal["async", "sync"] = Field(
        default="async",
        title="Write mode",
        description="sync waits until a line is on the disk, async until the system has it.",
    )


class DiskLogOptions(ActionOptions):
    """Lines are cheap together."""

    batch_size: int = Field(
        default=1000,
        ge=1,
        le=65_535,
        title="Batch size",
        description="Most lines that are written at once.",
    )


class DiskLogActionSettings(ActionSettings):
    """``actions.disk_log.<name>``."""

    parameters: DiskLogParameters = Field(
        default_factory=DiskLogParameters, title="Parameters", description="What is written."
    )
    resource_opts: DiskLogOptions = Field(
        default_factory=DiskLogOptions, title="Resource options", description="How it is run."
    )
