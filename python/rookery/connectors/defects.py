"""What a client library raises that its connector did not expect."""

from __future__ import annotations

import logging
import traceback

from rookery.access.errors import Words
from rookery.access.reasons import DEFECT


def defect(logger: logging.Logger, who: str, error: BaseException) -> Words:
    """Log where it happened, without its text, which may hold a secret; a reason for people."""
    kind = type(error).__name__
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s: a %s that nobody expected\n%s", who, kind, frames)
    return DEFECT.format(kind=kind)
