"""Settings given by a program as a mapping of paths, checked like those of a file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path

from rookery.config.build import node_config
from rookery.config.check import check
from rookery.config.problems import InvalidConfigError
from rookery.config.schema import ROOT
from rookery.config.tree import Node, Origin, merge, nested, split_path, wrap
from rookery.native.config import BrokerConfig

_NOWHERE = Path("/nonexistent")  # where a broker keeps its data is not among these settings


def from_mapping(options: Mapping[str, object], *, source: str) -> BrokerConfig:
    """What the core is told, with ``options`` over the defaults.

    Args:
        options: Values by path: ``{"mqtt.max_inflight": 64}``; a path may also hold an object.
        source: What the options are called where they are given, for error messages.

    Raises:
        InvalidConfigError: with everything that is wrong with them.
    """
    origin = Origin("set", source)
    trees = (nested(split_path(path), wrap(value, origin)) for path, value in options.items())
    checked = check(reduce(merge, trees, Node({}, origin)), ROOT)
    if checked.problems:
        raise InvalidConfigError(checked.problems)
    return node_config(checked.values, _NOWHERE).broker
