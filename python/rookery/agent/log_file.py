"""Where the agent writes its log: a file that is rotated, and standard error in the foreground."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import time

from rookery.agent.failures import AgentError
from rookery.agent.places import Place
from rookery.agent.settings import Settings
from rookery.agent.texts import say

_LINE = "%(asctime)s.%(msecs)03dZ [%(levelname)s] %(message)s"
_TIME = "%Y-%m-%dT%H:%M:%S"


def begin(place: Place, settings: Settings, *, is_foreground: bool) -> None:
    """Send what the agent logs there.

    Raises:
        AgentError: the file cannot be written.
    """
    formatter = logging.Formatter(_LINE, _TIME)
    formatter.converter = time.gmtime
    try:
        file = logging.handlers.RotatingFileHandler(
            place.log_file,
            maxBytes=settings.log_bytes_max,
            backupCount=settings.log_files_kept,
            encoding="utf-8",
        )
        place.log_file.chmod(0o640)
    except OSError as error:
        raise AgentError(
            say("file.unwritable", file=place.log_file, reason=error.strerror)
        ) from error
    handlers: list[logging.Handler] = [file]
    if is_foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    root = logging.getLogger("rookery.agent")
    root.setLevel(settings.log_level.upper())
    root.propagate = False
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
