"""Configuration text to plain values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rookery import _native
from rookery.native.errors import translate


def parse(text: str, source: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """Parse HOCON as EMQX 5 writes it, with the place every value came from.

    Args:
        text: The text of a configuration file.
        source: Its path, for messages and for ``include``.
        environ: What ``${NAME}`` falls back to.

    Returns:
        ``{"sources": […], "missing": […], "root": V}`` where each value ``V`` is ``[source, line, value]``,
        and each file that is not there and need not be ``[source, line, name]``.

    Raises:
        ConfigError: it is not HOCON; the message names the place.
    """
    try:
        document = _native.parse_hocon(text, source, dict(environ))
    except _native.NativeError as error:
        raise translate(error) from None
    parsed: dict[str, Any] = json.loads(document)
    return parsed
