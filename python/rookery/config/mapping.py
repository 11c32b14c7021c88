"""Settings given by a program as a mapping of paths, checked like those of a file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import NamedTuple

from rookery.config.between import between_keys
from rookery.config.build import management_config, node_config
from rookery.config.check import check
from rookery.config.problems import InvalidConfigError
from rookery.config.schema import ROOT
from rookery.config.snapshot import AccessConfig
from rookery.config.tree import Node, Origin, merge, nested, split_path, wrap
from rookery.native.config import BrokerConfig, ListenerConfig

_NOWHERE = Path("/nonexistent")  # where a broker keeps its data is not among these settings


class Mapped(NamedTuple):
    """What a program's options mean: to the core, to access control, to single listeners."""

    broker: BrokerConfig
    access: AccessConfig
    listeners: Mapping[str, ListenerConfig]  # by id; those that the options speak about


def from_mapping(options: Mapping[str, object], *, source: str) -> Mapped:
    """What is told to whom, with ``options`` over the defaults.

    Args:
        options: Values by path: ``{"mqtt.max_inflight": 64}``; a path may also hold an object.
        source: What the options are called where they are given, for error messages.

    Raises:
        InvalidConfigError: with everything that is wrong with them.
    """
    origin = Origin("set", source)
    trees = (nested(split_path(path), wrap(value, origin)) for path, value in options.items())
    tree = reduce(merge, trees, Node({}, origin))
    checked = check(tree, ROOT)
    if not checked.problems:
        checked.problems.extend(between_keys(checked))
    if checked.problems:
        raise InvalidConfigError(checked.problems)
    native = node_config(checked.values, _NOWHERE)
    named = _named_listeners(tree)
    return Mapped(
        native.broker,
        management_config(checked.values, _NOWHERE).access,
        {item.id: item for item in native.listeners if item.id in named},
    )


def _named_listeners(tree: Node) -> set[str]:
    plain = tree.plain().get("listeners", {})
    return {f"{kind}:{name}" for kind, items in plain.items() for name in items}
