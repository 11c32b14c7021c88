"""Keeps the log handlers of this process as configured, and the levels that somebody set.

Levels of modules are for looking into a problem: they hold until they are taken back, or until the
node stops. What is to hold for good is ``log.console.level`` and ``log.file.level``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from rookery.config import Config, LogConfig, LogHandlerConfig
from rookery.errors import BadRequestError, ConfigError, ExceedsLimitError
from rookery.observability.logs import (
    CLIENTS,
    LEVELS,
    ROOT_MODULE,
    Logging,
    console_handler,
    file_handler,
)
from rookery.observability.throttle import Throttle

MODULES_MAX = 256
"""Most modules with a level of their own."""

NAME_MAX = 200


class LogService:
    """Owns the handlers; a part of the node that takes changes of ``log``."""

    def __init__(self, changed: Callable[[LogConfig], None], *, has_journal: bool) -> None:
        """``changed`` is called when another log or another level holds.

        ``has_journal``: the node prints who comes and goes itself, so the console does not.
        """
        self._changed = changed
        self._has_journal = has_journal
        self._config: LogConfig
        self._open: Logging | None = None
        self._throttle: Throttle | None = None
        self._levels: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        self._left_out_before = 0

    def use(self, config: LogConfig) -> None:
        """Put the handlers of ``config`` in place of those before; on a running loop.

        Raises:
            ConfigError: the directory of the log file cannot be made; what was goes on.
        """
        handlers = _handlers(config, has_journal=self._has_journal)
        self.close()
        self._config = config
        self._throttle = Throttle(config.throttle_s) if config.throttle_s else None
        self._open = Logging(handlers, self._throttle)
        self._open.open()
        self._open.set_levels(_numbers(self._levels))
        self._changed(config)
        if config.throttle_s:
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._summarize(self._open, config.throttle_s))

    def close(self) -> None:
        """Take the handlers away; what was left out is told."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._open is not None:
            self._open.close()
            self._open = None
        if self._throttle is not None:
            self._left_out_before += self._throttle.left_out
            self._throttle = None

    async def apply(self, old: Config, new: Config) -> None:
        """Take a change of ``log``."""
        if old.management.log != new.management.log:
            self.use(new.management.log)

    @property
    def levels(self) -> Mapping[str, str]:
        """Modules with a level of their own."""
        return dict(self._levels)

    def set_level(self, module: str, level: str | None) -> None:
        """Write records of a module, and of what is below it, from this level on.

        Args:
            module: The name that stands in the lines, such as ``rookery.access``.
            level: One of EMQX's words; none takes the level back.

        Raises:
            BadRequestError: no such module or level.
            ExceedsLimitError: more modules than :data:`MODULES_MAX`.
        """
        if not module.startswith(ROOT_MODULE) or len(module) > NAME_MAX:
            raise BadRequestError(f"modules begin with {ROOT_MODULE!r}: {module[:NAME_MAX]!r}")
        if level is None:
            self._levels.pop(module, None)
        elif level not in LEVELS and level != "all":
            raise BadRequestError(f"{level!r} is no level; levels are all, {', '.join(LEVELS)}")
        elif module not in self._levels and len(self._levels) >= MODULES_MAX:
            raise ExceedsLimitError(f"more than {MODULES_MAX} modules with a level of their own")
        else:
            self._levels[module] = level
        if self._open is not None:
            self._open.set_levels(_numbers(self._levels))
            self._changed(self._config)

    def metrics(self) -> dict[str, int]:
        now = self._throttle.left_out if self._throttle is not None else 0
        return {"log.throttled": self._left_out_before + now}

    async def _summarize(self, logs: Logging, window_s: float) -> None:
        while True:
            await asyncio.sleep(window_s)
            logs.summarize()


def _numbers(levels: Mapping[str, str]) -> dict[str, int]:
    return {name: LEVELS.get(level, logging.DEBUG) for name, level in levels.items()}


def _handlers(config: LogConfig, *, has_journal: bool) -> list[logging.Handler]:
    console, file = config.console, config.file
    handlers: list[logging.Handler] = []
    if console.enable:
        shown = console_handler(
            console.level,
            console.formatter,
            time_offset=console.time_offset,
            is_epoch=console.is_epoch,
        )
        if has_journal:
            shown.addFilter(lambda record: record.name != CLIENTS)
        handlers.append(shown)
    if file.enable and file.path is not None:
        handlers.append(_file(file))
    return handlers


def _file(file: LogHandlerConfig) -> logging.Handler:
    assert file.path is not None
    try:
        return file_handler(
            file.path,
            file.level,
            file.formatter,
            rotation_bytes=file.rotation_bytes,
            rotation_count=file.rotation_count,
            time_offset=file.time_offset,
            is_epoch=file.is_epoch,
        )
    except OSError as error:
        raise ConfigError([f"log.file.path: {file.path}: {error.strerror or error}"]) from error
