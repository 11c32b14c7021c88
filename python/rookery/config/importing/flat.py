"""Reads the flat files of EMQX 3 and 4: one ``key = value`` a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rookery.config.importing.model import Setting
from rookery.config.problems import InvalidConfigError, Problem

FILE_BYTES_MAX = 16 << 20
INCLUDES_MAX = 100

_SETTING = re.compile(r"([A-Za-z0-9_$][\w.$~-]*)\s*=\s*(.*)")
_INCLUDE = re.compile(r"include\s+(\S+)")
# What a package's build would have filled in.
_TEMPLATE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_TEMPLATES = {
    "platform_etc_dir": "etc",
    "platform_data_dir": "data",
    "platform_log_dir": "log",
    "platform_lib_dir": "lib",
    "platform_bin_dir": "bin",
    "platform_plugins_dir": "plugins",
}


class FlatFile(NamedTuple):
    """What stood in a file."""

    settings: list[Setting]
    overridden: list[Setting]
    """A later line set the same key."""
    odd: list[Setting]
    """Lines that are no setting; the text is the key."""


def read_text(path: Path) -> str:
    """The text of an old file.

    Raises:
        InvalidConfigError: it cannot be read.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise OSError(f"larger than {FILE_BYTES_MAX >> 20} MB")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = Problem("unreadable", str(path), reasons={"en": reason})
        raise InvalidConfigError([problem]) from error


def parse(text: str, path: Path) -> FlatFile:
    """Split into settings; a later line of the same key wins, as it did there."""
    result = FlatFile([], [], [])
    _read_into(text, path, result, {path.resolve()})
    last = {setting.key: setting for setting in result.settings}
    return FlatFile(
        [setting for setting in result.settings if last[setting.key] is setting],
        [setting for setting in result.settings if last[setting.key] is not setting],
        result.odd,
    )


def _read_into(text: str, path: Path, result: FlatFile, seen: set[Path]) -> None:
    for number, line in _lines(text):
        setting = _SETTING.fullmatch(line)
        if setting is not None:
            value = _filled(_unquoted(setting[2]))
            result.settings.append(Setting(path, number, setting[1], value))
            continue
        include = _INCLUDE.fullmatch(line)
        if include is None:
            result.odd.append(Setting(path, number, line, ""))
            continue
        included = (path.parent / _filled(_unquoted(include[1]))).resolve()
        if included in seen or len(seen) >= INCLUDES_MAX or not included.is_file():
            result.odd.append(Setting(path, number, line, ""))
            continue
        seen.add(included)
        _read_into(read_text(included), included, result, seen)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line and not line.startswith(("#", "%%")):
            yield number, line


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    # A comment may follow a value, a # inside one has no space before it.
    return re.split(r"\s#", value, maxsplit=1)[0].rstrip()


def _filled(value: str) -> str:
    return _TEMPLATE.sub(lambda match: _TEMPLATES.get(match[1], match[0]), value)


def looks_flat(text: str) -> bool:
    """Whether no line opens or closes anything: HOCON has brackets, or values over many lines."""
    return not any(_is_bracketed(_filled(line)) for _, line in _lines(text))


def _is_bracketed(line: str) -> bool:
    if line.startswith(("{", "}", "[", "]")) or line.endswith(("{", "[")):
        return True
    key, _, value = line.partition("=")
    is_json_of_a_hook = key.startswith("web.hook.rule.")
    return "{" in key or (value.lstrip().startswith(("{", "[", '"""')) and not is_json_of_a_hook)


def keys(text: str) -> list[str]:
    """The keys of a flat file."""
    return [match[1] for _, line in _lines(text) if (match := _SETTING.fullmatch(line))]
