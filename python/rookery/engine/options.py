"""Settings given as a mapping of paths, checked by the schema of configuration files."""

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

_ORIGIN = Origin("set", "Broker(config=…)")
_NOWHERE = Path("/nonexistent")  # where a broker keeps its data is not among these settings


def broker_config(options: Mapping[str, object]) -> BrokerConfig:
    """What the core is told, with ``options`` over the defaults.

    Raises:
        ConfigError: with everything that is wrong with them.
    """
    trees = (nested(split_path(path), wrap(value, _ORIGIN)) for path, value in options.items())
    checked = check(reduce(merge, trees, Node({}, _ORIGIN)), ROOT)
    if checked.problems:
        raise InvalidConfigError(checked.problems)
    return node_config(checked.values, _NOWHERE).broker
