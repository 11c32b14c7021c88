"""An action without a node: a connector of a type, and items as the core would hand them over."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rookery.connectors.base import Action, Connector, Context, ItemFailure
from rookery.connectors.registry import connector_type
from rookery.native.action_fields import ActionItem, FieldValue

_numbers = itertools.count(1)


def item(*fields: FieldValue, key: int = 1) -> ActionItem:
    """One result: the values of the fields that the action asks for."""
    return ActionItem(next(_numbers), "r1", key, 1_700_000_000_000, fields)


def connector_of(type_name: str, settings: Mapping[str, Any]) -> Connector[Any, Any]:
    """Make a connector, not started."""
    kind = connector_type(type_name)
    context = Context(id=f"{type_name}:test", node="test", data_dir=Path("/nonexistent"))
    return kind.open(kind.connector_settings.model_validate(settings), context)


def action_of(
    type_name: str, connector: Connector[Any, Any], parameters: Mapping[str, Any]
) -> Action:
    """Make an action on a connector."""
    kind = connector_type(type_name)
    assert kind.action_settings is not None
    settings = {"connector": "test", "parameters": parameters}
    return connector.open_action(kind.action_settings.model_validate(settings))


@asynccontextmanager
async def working(
    type_name: str, settings: Mapping[str, Any], parameters: Mapping[str, Any]
) -> AsyncIterator[Action]:
    """A connector that is connected, and one action that is ready."""
    connector = connector_of(type_name, settings)
    action = action_of(type_name, connector, parameters)
    await connector.start()
    try:
        await action.start()
        yield action
        await action.stop()
    finally:
        await connector.stop()


def reasons(failures: Sequence[ItemFailure] | None) -> dict[int, str]:
    """Why which item failed."""
    return {
        failure.number: failure.reason if isinstance(failure.reason, str) else failure.reason.en
        for failure in failures or ()
    }
