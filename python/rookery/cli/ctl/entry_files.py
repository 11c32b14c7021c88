"""Files that hold one rule, connector, action or source, in HOCON or JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rookery.errors import BadRequestError


def read_entry(file: Path) -> dict[str, Any]:
    """What a file holds; ``-`` is the standard input.

    Raises:
        BadRequestError: it cannot be read, or holds something else.
    """
    from rookery.config.problems import InvalidConfigError  # noqa: PLC0415
    from rookery.config.sources import parse_text  # noqa: PLC0415

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        found = parse_text(text, str(file), "file", {}).plain()
    except OSError as error:
        raise BadRequestError(f"{file}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise BadRequestError(f"{file}: {error}") from None
    except InvalidConfigError as error:  # begins with the file and the place in it
        raise BadRequestError(str(error), message_zh=error.text("zh")) from None
    if not isinstance(found, dict):
        raise BadRequestError(f"{file}: an object is expected", message_zh=f"{file}：应为对象")
    return found
