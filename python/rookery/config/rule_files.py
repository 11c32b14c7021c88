"""Which files of rules may be named while a node runs.

A node may read more than those who configure it over the network: what they name is read only where
operators keep a node's files. The configuration file may name any.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.config.problems import Problem

if TYPE_CHECKING:
    from rookery.config.load import Config

_EN = "only the configuration file may name a file outside {folders}"
_ZH = "{folders} 之外的文件只能在配置文件中指定"


def problems(old: Config, new: Config) -> Iterator[Problem]:
    """Files that ``new`` names and ``old`` does not, where they may not be."""
    known = {path for _, path in _files(old)}
    folders = [new.data_dir]
    if new.config_file is not None:
        folders.append(new.config_file.absolute().parent)
    for number, path in _files(new):
        if path in known or any(_is_in(Path(path), folder) for folder in folders):
            continue
        at = f"authorization.sources.{number}.path"
        reasons = {
            "en": _EN.format(folders=" and ".join(map(str, folders))),
            "zh": _ZH.format(folders="、".join(map(str, folders))),
        }
        yield Problem("setting", at, value=path, reasons=reasons)


def _files(config: Config) -> Iterator[tuple[int, str]]:
    for number, entry in enumerate(config["authorization.sources"], start=1):
        if entry["type"] == "file" and entry["path"]:
            yield number, entry["path"]


def _is_in(path: Path, folder: Path) -> bool:
    """Whether it is there, links followed."""
    return path.resolve().is_relative_to(folder.resolve())
