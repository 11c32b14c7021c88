"""``api_key.bootstrap_file``: keys that are there from the first start.

One ``key:secret`` or ``key:secret:role`` in a line; empty lines and those that begin with ``#`` are
skipped. A line that cannot be used is logged with its number and leaves the others alone.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import NamedTuple, get_args

from rookery.broker.admins.models import KeyRole
from rookery.types import Secret

_log = logging.getLogger("rookery.admins")

FILE_BYTES_MAX = 1 << 20
BOOTSTRAP_SECRET_MIN = 16
KEY_PATTERN = re.compile(r"[!-9;-~]{1,256}")


class KeyLine(NamedTuple):
    """A key as it stands in the file."""

    key: str
    secret: Secret
    role: KeyRole


def read_keys(file: Path) -> list[KeyLine]:
    """Every line that can be used; a file that cannot be read is logged and has none."""
    try:
        with file.open("rb") as content:
            text = content.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        _log.error("%s: %s", file, error.strerror or error)
        return []
    if len(text) > FILE_BYTES_MAX:
        _log.error("%s: larger than %d bytes", file, FILE_BYTES_MAX)
        return []
    found = []
    lines = (line.strip() for line in text.decode("utf-8", "replace").splitlines())
    for number, line in enumerate(lines, start=1):
        if not line or line.startswith("#"):
            continue
        read = _parse(line)
        if isinstance(read, str):
            _log.error("%s:%d: %s", file, number, read)
        else:
            found.append(read)
    return found


def _parse(line: str) -> KeyLine | str:
    key, _, rest = line.partition(":")
    secret, _, role = rest.partition(":")
    if not KEY_PATTERN.fullmatch(key) or not secret:
        return "not KEY:SECRET or KEY:SECRET:ROLE"
    if len(secret) < BOOTSTRAP_SECRET_MIN:
        return f"a secret has at least {BOOTSTRAP_SECRET_MIN} characters"
    if role and role not in get_args(KeyRole):
        return f"a role is one of {', '.join(get_args(KeyRole))}"
    for known in get_args(KeyRole):
        if role == known:
            return KeyLine(key, Secret(secret), known)
    return KeyLine(key, Secret(secret), "administrator")
