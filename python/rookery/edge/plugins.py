"""Finds drivers and applications: a folder below ``drivers`` or ``apps`` is one.

Those of other distributions are found by the entry point group ``rookery.edge.plugins``, whose values name a
``DriverType`` or an ``AppType``.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import TypeAlias

from rookery.edge import apps, drivers
from rookery.edge.apps.base import AppType
from rookery.edge.drivers.base import DriverType
from rookery.edge.errors import LIBRARY_FAILED_TO_OPEN, LIBRARY_NOT_FOUND, EdgeError
from rookery.edge.model import NodeKind, Plugin
from rookery.edge.schema import schema_of
from rookery.words import Words

ENTRY_POINTS = "rookery.edge.plugins"
EXTRA = "edge"

PluginType: TypeAlias = DriverType | AppType

_log = logging.getLogger("rookery.edge")
_MISSING = Words("install rookery[{extra}]", "请安装 rookery[{extra}]")


class Plugins:
    """All kinds of nodes, drivers first."""

    def list(self) -> tuple[Plugin, ...]:
        """As people see them."""
        return tuple(_listed(found) for found in _types().values())

    def get(self, name: str) -> Plugin:
        """One of them.

        Raises:
            EdgeError: there is none of that name.
        """
        return _listed(self.type(name))

    def type(self, name: str) -> PluginType:
        """What its nodes are made with.

        Raises:
            EdgeError: there is none of that name.
        """
        found = _types().get(name)
        if found is None:
            raise EdgeError(LIBRARY_NOT_FOUND, name=name)
        return found

    def require(self, name: str) -> PluginType:
        """The same, of one that can be used here.

        Raises:
            EdgeError: there is none, or a package is missing; says what to install.
        """
        found = self.type(name)
        missing = _missing(found)
        if missing is not None:
            raise EdgeError(LIBRARY_FAILED_TO_OPEN, name=name, reason=missing)
        return found


def _listed(found: PluginType) -> Plugin:
    missing = _missing(found)
    is_driver = isinstance(found, DriverType)
    return Plugin(
        name=found.name,
        kind=NodeKind.DRIVER if is_driver else NodeKind.APP,
        title=found.title,
        description=found.about,
        schema=schema_of(
            found.fields,
            group_interval_ms=found.group_interval_ms if isinstance(found, DriverType) else 0,
        ),
        is_installed=missing is None,
        missing=missing,
        can_browse=isinstance(found, DriverType) and found.can_browse,
    )


def _missing(found: PluginType) -> Words | None:
    if all(map(_is_there, found.packages)):
        return None
    return _MISSING.format(extra=EXTRA)


def _is_there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # of what it is in
        return False


@cache
def _types() -> dict[str, PluginType]:
    found: dict[str, PluginType] = {}
    for package in (drivers, apps):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if module.ispkg:
                made = importlib.import_module(module.name)
                for one in getattr(made, "TYPES", None) or (made.TYPE,):
                    found[one.name] = one
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            one = entry.load()
        except Exception:  # noqa: BLE001 - of somebody else, and the rest works without it
            _log.exception("the plugin %s cannot be loaded", entry.name)
            continue
        if isinstance(one, (DriverType, AppType)) and one.name not in found:
            found[one.name] = one
        else:
            _log.error("the plugin %s is none, or has a name that is taken", entry.name)
    return found
