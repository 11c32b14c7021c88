"""Where configuration comes from: files, the environment and the command line, as trees."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.secrets import assignment_without_secrets
from rookery.config.tree import Node, Origin, Scalar, merge, nested, split_path, wrap
from rookery.errors import ConfigError

ENV_PREFIX = "ROOKERY_"
ENV_SEPARATOR = "__"
# Read elsewhere; every other name without `__` gets a warning.
ENV_KNOWN = frozenset({"ROOKERY_CONFIG", "ROOKERY_DATA_DIR", "ROOKERY_LANG"})
FILE_BYTES_MAX = 16 << 20

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,15})(\.\d{1,16})?", re.ASCII)
_WORDS: Mapping[str, Scalar] = {"true": True, "false": False, "null": None}


def read_file(
    path: Path, kind: str, environ: Mapping[str, str], warnings: list[Problem] | None = None
) -> Node:
    """Parse a file; ``kind`` is the origin's (``file`` or ``runtime``).

    ``warnings`` gets what it includes and is not there.

    Raises:
        InvalidConfigError: it cannot be read or is not HOCON.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise OSError(f"larger than {FILE_BYTES_MAX >> 20} MB")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem("unreadable", str(path), reasons=_why_unreadable(error))
        raise InvalidConfigError([problem]) from error
    return parse_text(text, str(path), kind, environ, warnings)


def _why_unreadable(error: OSError | UnicodeDecodeError) -> dict[str, str]:
    if isinstance(error, OSError):
        return {"en": error.strerror or str(error)}
    place = error.start + 1
    return {"en": f"byte {place} is not UTF-8 text", "zh": f"第 {place} 字节不是 UTF-8 文本"}


def parse_text(
    text: str,
    source: str,
    kind: str,
    environ: Mapping[str, str],
    warnings: list[Problem] | None = None,
) -> Node:
    """Parse HOCON; ``include`` looks beside ``source``.

    ``warnings`` gets what is included and is not there.
    """
    # The native module is loaded only when there is something to parse.
    from rookery.native import hocon  # noqa: PLC0415

    try:
        document = hocon.parse(text, source, environ)
    except ConfigError as error:
        problems = [Problem("syntax", "", value=line) for line in error.problems]
        raise InvalidConfigError(problems) from error
    names: list[str] = document["sources"]
    if warnings is not None:
        for at, line, name in document["missing"]:
            looked_for = Path(names[at]).parent / name
            origin = Origin(kind, names[at], line)
            warnings.append(Problem("no_include", str(looked_for), origin, value=name))
    return _from_document(document["root"], kind, names)


def _from_document(item: Any, kind: str, names: list[str]) -> Node:
    """``[source, line, value]`` all the way down; the parser bounds the depth."""
    source, line, value = item
    origin = Origin(kind, names[source], line)
    if isinstance(value, dict):
        return Node(
            {key: _from_document(child, kind, names) for key, child in value.items()}, origin
        )
    if isinstance(value, list):
        return Node([_from_document(child, kind, names) for child in value], origin)
    return Node(value, origin)


def value_from_text(text: str, origin: Origin) -> Node:
    """A value of a variable or of ``--set``: HOCON where it must be, else as it stands.

    Addresses and host names need no quotes here: there is nothing after the value.
    """
    stripped = text.strip()
    if stripped in _WORDS:
        return Node(_WORDS[stripped], origin)
    if _NUMBER.fullmatch(stripped):
        return Node(float(stripped) if "." in stripped else int(stripped), origin)
    if stripped[:1] in ("[", "{", '"'):
        parsed = parse_text(f"value = {stripped}", str(origin), origin.kind, {})
        if isinstance(parsed.value, dict) and "value" in parsed.value:
            return wrap(parsed.value["value"].plain(), origin)
    return Node(stripped, origin)


def from_environ(environ: Mapping[str, str]) -> tuple[Node, list[Problem]]:
    """Every ``ROOKERY_A__B`` as ``a.b``, and a warning for each other ``ROOKERY_`` name."""
    tree = Node({}, Origin("env"))
    warnings: list[Problem] = []
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX):
            continue
        rest = name[len(ENV_PREFIX) :]
        if ENV_SEPARATOR not in rest:
            if name not in ENV_KNOWN:
                warnings.append(Problem("env_name", name))
            continue
        keys = [key.lower() for key in rest.split(ENV_SEPARATOR)]
        if not all(keys):
            warnings.append(Problem("env_part", name))
            continue
        origin = Origin("env", name)
        tree = merge(tree, nested(keys, value_from_text(environ[name], origin)))
    return tree, warnings


def from_sets(sets: Iterable[str]) -> Node:
    """Every ``key=value`` of ``--set``; later ones win.

    Raises:
        InvalidConfigError: one is not of that form.
    """
    origin = Origin("set")
    tree = Node({}, origin)
    for text in sets:
        key, equals, value = text.partition("=")
        try:
            if not equals:
                raise ValueError("no equals sign")
            keys = split_path(key.strip())
        except ValueError as error:
            shown = assignment_without_secrets(text)
            raise InvalidConfigError([Problem("set_form", "--set", value=shown)]) from error
        tree = merge(tree, nested(keys, value_from_text(value, origin)))
    return tree


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Where a node keeps its data when nobody says otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/rookery")
    base = environ.get("XDG_DATA_HOME") or ""
    if not base.startswith("/"):
        base = str(Path(environ.get("HOME") or Path.home()) / ".local/share")
    return Path(base) / "rookery"
