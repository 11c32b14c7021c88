"""What can be said against connectors, actions and sources without contacting anything.

Their settings were parsed by then, each key for itself; here they are put together, as a node that
starts would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rookery.access.errors import SettingError, Words
from rookery.connectors.base import Connector, Context
from rookery.connectors.missing import MissingConnector
from rookery.connectors.planning import check_templates
from rookery.connectors.registry import connector_type, why_missing
from rookery.connectors.settings import ActionSettings, ConnectorSettings, SourceSettings, Tls
from rookery.native.actions import render


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where they would run."""

    node: str
    data_dir: Path
    file_dirs: tuple[Path, ...] = ()


class Unfit(NamedTuple):
    """Something that cannot be as it is."""

    kind: str
    id: str
    words: Words


def fitting_connector(
    connector_id: str, settings: ConnectorSettings, place: Place
) -> Connector[Any, Any]:
    """A connector that is never started.

    Raises:
        SettingError: it cannot be made so.
    """
    kind = connector_type(connector_id.partition(":")[0])
    missing = why_missing(kind)
    if missing is not None:
        return MissingConnector(missing)
    context = Context(
        id=connector_id, node=place.node, data_dir=place.data_dir, file_dirs=place.file_dirs
    )
    if kind.refuse is not None:
        kind.refuse(settings, context)
    # Some types read these files only when they connect.
    tls = getattr(settings, "ssl", None)
    if isinstance(tls, Tls) and tls.enable:
        tls.client_tls().context()
    return kind.open(settings, context)


def unfit(
    connectors: Mapping[str, ConnectorSettings],
    actions: Mapping[str, ActionSettings],
    sources: Mapping[str, SourceSettings],
    place: Place,
) -> Iterator[Unfit]:
    """Everything that does not fit; what belongs to an unfit connector is not looked at."""
    made: dict[str, Connector[Any, Any]] = {}
    for connector_id, settings in connectors.items():
        try:
            made[connector_id] = fitting_connector(connector_id, settings, place)
        except SettingError as error:
            yield Unfit("connectors", connector_id, error.words)
    for action_id, action in actions.items():
        connector = made.get(_connector_of(action_id, action.connector))
        if connector is None:
            continue
        try:
            check_templates(connector.open_action(action).fields, render, action)
        except SettingError as error:
            yield Unfit("actions", action_id, error.words)
    for source_id, source in sources.items():
        connector = made.get(_connector_of(source_id, source.connector))
        if connector is None:
            continue
        try:
            connector.open_source(source, _receive)
        except SettingError as error:
            yield Unfit("sources", source_id, error.words)


def _connector_of(item_id: str, connector: str) -> str:
    return f"{item_id.partition(':')[0]}:{connector}"


async def _receive(_columns: Mapping[str, Any]) -> int:
    return 0
