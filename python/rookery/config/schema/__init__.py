"""What may stand in a configuration file: every key, its type, default and meaning, as data."""

from __future__ import annotations

from rookery.config.schema.model import Field, Status, Struct
from rookery.config.schema.root import ROOT

__all__ = ["ROOT", "Field", "Status", "Struct"]
