"""SCRAM (RFC 5802, RFC 7677) as enhanced authentication of MQTT 5."""

from __future__ import annotations

from rookery.access.scram.keys import ScramKeys, derive, prepare
from rookery.access.scram.messages import METHODS, ScramError

__all__ = ["METHODS", "ScramError", "ScramKeys", "derive", "prepare"]
