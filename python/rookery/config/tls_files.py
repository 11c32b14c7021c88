"""Certificates and keys that somebody names over the network, outside of the node's own folders.

They may be anywhere on the machine, as in EMQX. Whether another file is there, or can be read, is
nothing that those who configure a node shall find out by naming it: of what cannot be used they hear
that, whatever the reason; the node's log has it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rookery.config.problems import Problem
from rookery.config.secrets import HIDDEN
from rookery.config.tree import join_path

_log = logging.getLogger("rookery.settings")

_KEYS = frozenset({"certfile", "keyfile", "cacertfile", "crlfile", "public_key"})
_MARK = b"-----BEGIN "
# Certificates of all authorities that a system knows are a quarter of this.
_READ_MAX = 1 << 20
_PATH_MAX = 4096
_EN = "cannot be used; outside {folders} only the node's log says why"
_ZH = "无法使用；{folders} 之外的文件，原因仅见节点日志"


def problems(
    folders: Sequence[Path], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Problem]:
    """Files that ``new`` names and ``old`` does not, both as they are shown, and nobody can use."""
    known = {path for _, path in _named(old, ())}
    for at, path in _named(new, ()):
        file = folders[0] / path
        if path in known or any(is_in(file, folder) for folder in folders):
            continue
        reason = _unusable(file)
        if reason:
            place = join_path(at)
            _log.warning("%s: %s cannot be used: %s", place, file, reason)
            names = [str(folder) for folder in folders]
            reasons = {
                "en": _EN.format(folders=" and ".join(names)),
                "zh": _ZH.format(folders="、".join(names)),
            }
            yield Problem("setting", place, value=path, reasons=reasons)


def is_in(path: Path, folder: Path) -> bool:
    """Whether it is there, links followed."""
    return path.resolve().is_relative_to(folder.resolve())


def _named(tree: Any, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if key in _KEYS and isinstance(value, str):
                # A public key may also stand there itself, or be hidden.
                if value and value != HIDDEN and "\n" not in value and len(value) <= _PATH_MAX:
                    yield (*at, key), value
            else:
                yield from _named(value, (*at, str(key)))
    elif isinstance(tree, list | tuple):
        for number, value in enumerate(tree, start=1):
            yield from _named(value, (*at, str(number)))


def _unusable(file: Path) -> str:
    """What is wrong with a file that should hold something in PEM format; empty when nothing is."""
    try:
        if not file.is_file():
            return "there is no such file"
        with file.open("rb") as opened:
            return "" if _MARK in opened.read(_READ_MAX) else "it holds nothing in PEM format"
    except OSError as error:
        return error.strerror or str(error)
