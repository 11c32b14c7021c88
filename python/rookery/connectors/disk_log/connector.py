"""One file that actions append to, written in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from rookery.access.errors import SettingError, Words
from rookery.connectors.base import (
    Action,
    Connector,
    Context,
    ItemFailure,
    Recoverable,
    Unhealthy,
)
from rookery.connectors.disk_log.settings import DiskLogActionSettings, DiskLogConnectorSettings
from rookery.connectors.disk_log.writer import InUseError, Writer
from rookery.connectors.settings import SourceSettings
from rookery.native.action_fields import ActionItem, FieldValue, Text

T = TypeVar("T")

FOLDER = "disk_log"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DISK_FULL = Words("no space left for {path}", "{path} 所在磁盘空间不足")
_IN_USE = Words("{path} is written by somebody else", "{path} 正由其他程序写入")
_CANNOT = Words("{path} cannot be written: {why}", "{path} 无法写入：{why}")
_IS_FOLDER = Words("filepath: {path} is a directory", "filepath：{path} 是目录")
_NO_FOLDER = Words("filepath: {path} is no directory", "filepath：{path} 不是目录")
_ELSEWHERE = Words(
    "filepath: {path} is not below {allowed}",
    "filepath：{path} 不在 {allowed} 之下",
)


class DiskLogConnector(Connector[DiskLogActionSettings, SourceSettings]):
    """A file. Its actions write to it in turn."""

    def __init__(self, settings: DiskLogConnectorSettings, context: Context) -> None:
        """Find the place.

        Raises:
            SettingError: it is not one where files may be written.
        """
        self._path = _allowed(settings.filepath, context)
        self._writer = Writer(
            self._path, bytes_max=settings.max_file_size, files_max=settings.max_file_number
        )
        self._thread: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="disk_log")
        try:
            await self._call(self._writer.open)
        except OSError as error:
            await self.stop()
            raise Unhealthy(self._why(error)) from None

    async def stop(self) -> None:
        thread = self._thread
        if thread is None:
            return
        await self._call(self._writer.close)
        self._thread = None
        thread.shutdown(wait=False)

    async def check(self) -> None:
        try:
            await self._call(self._writer.check)
        except OSError as error:
            raise Unhealthy(self._why(error)) from None

    async def append(self, lines: Sequence[bytes], *, sync: bool) -> None:
        """Write lines, all or none.

        Raises:
            Recoverable: none of them could be written.
        """
        try:
            await self._call(lambda: self._writer.append(lines, sync=sync))
        except OSError as error:
            raise Recoverable(self._why(error)) from None

    def open_action(self, settings: DiskLogActionSettings) -> Action:
        return DiskLogAction(self, settings)

    async def _call(self, what: Callable[[], T]) -> T:
        """In the thread; calls come in order."""
        if self._thread is None:
            raise OSError(errno.EBADF, "closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, what)

    def _why(self, error: OSError) -> Words:
        if isinstance(error, InUseError):
            return _IN_USE.format(path=error.filename or self._path)
        if error.errno in _FULL:
            return _DISK_FULL.format(path=self._path)
        why = os.strerror(error.errno).lower() if error.errno else str(error)
        return _CANNOT.format(path=self._path, why=why)


class DiskLogAction(Action):
    """Makes lines."""

    batch = True

    def __init__(self, connector: DiskLogConnector, settings: DiskLogActionSettings) -> None:
        self.fields = (Text(settings.parameters.template),)
        self._connector = connector
        self._is_sync = settings.parameters.write_mode == "sync"

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure] | None:
        lines = [_line(item.fields[0]) for item in items]
        await self._connector.append(lines, sync=self._is_sync)
        return None


def _line(value: FieldValue) -> bytes:
    octets = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    return octets.replace(b"\r", b"\\r").replace(b"\n", b"\\n") + b"\n"


def _allowed(filepath: str, context: Context) -> Path:
    """Where the file is: nobody who may only configure actions can write anywhere else."""
    home = context.data_dir / FOLDER
    path = home / filepath
    roots = (home, *context.file_dirs)
    # Links are followed: what counts is where the file ends up.
    real = path.resolve()
    if not any(real.is_relative_to(root.resolve()) for root in roots):
        allowed = ", ".join(str(root) for root in roots)
        raise SettingError(_ELSEWHERE.format(path=path, allowed=allowed))
    return real


def refuse(settings: DiskLogConnectorSettings, context: Context) -> None:
    """Look at the place itself.

    Raises:
        SettingError: the file may not be there, or cannot.
    """
    path = _allowed(settings.filepath, context)
    try:
        if path.is_dir():
            raise SettingError(_IS_FOLDER.format(path=path))
        above = next(folder for folder in path.parents if folder.exists())
        if not above.is_dir():
            raise SettingError(_NO_FOLDER.format(path=above))
    except PermissionError:
        return  # whoever checks a configuration need not be who runs the node


def open_connector(settings: DiskLogConnectorSettings, context: Context) -> DiskLogConnector:
    """Make one.

    Raises:
        SettingError: the file may not be there.
    """
    return DiskLogConnector(settings, context)
