"""What the configuration says about users, keys and tokens."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rookery.types import Secret


class AdminSettings(NamedTuple):
    """``dashboard`` and ``api_key``, as far as they are about who may manage the node."""

    default_username: str
    default_password: Secret
    token_expired_time_s: float
    bootstrap_file: Path | None
