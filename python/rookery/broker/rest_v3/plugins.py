"""Plugins: load, unload, reload. Installing is left to ``/api/v5`` and the command line."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from rookery.broker.plugins.models import Installed
from rookery.broker.rest_v3.answers import (
    BAD_PARAMETER,
    PLUGIN_LOADED,
    PLUGIN_UNLOADED,
    UNKNOWN_ERROR,
    RefusedError,
)
from rookery.broker.rest_v3.asking import Ask, Handler, Operation

_PLUGIN = {
    "name": "payload_transform-1.0.0", "version": "1.0.0", "description": "Demo", "active": True,
}  # fmt: skip


def _row(ask: Ask, plugin: Installed) -> dict[str, Any]:
    return {
        "name": plugin.id,
        "version": plugin.manifest.rel_vsn,
        "description": plugin.manifest.description,
        "active": _is_active(ask, plugin),
    }


def _is_active(ask: Ask, plugin: Installed) -> bool:
    status = ask.node.services.plugins.report(plugin.id).status
    return status not in ("stopped", "crashed")


async def _listed(ask: Ask) -> list[dict[str, Any]]:
    ask.check_node()
    return [_row(ask, plugin) for plugin in ask.node.services.plugins.all()]


async def _all_listed(ask: Ask) -> list[dict[str, Any]]:
    return [{"node": ask.node.node_name, "plugins": await _listed(ask)}]


async def _act(ask: Ask, verb: str) -> None:
    ask.check_node()
    shared, plugin = ask.node.services.shared_plugins, _named(ask, ask.path["plugin"])
    is_active = _is_active(ask, plugin)
    match verb:
        case "load":
            if is_active:
                raise RefusedError(PLUGIN_LOADED, "already_started")
            await shared.start(plugin.id)
        case "unload":
            if not is_active:
                raise RefusedError(PLUGIN_UNLOADED, "not_started")
            await shared.stop(plugin.id)
        case _:
            if not is_active:
                raise RefusedError(PLUGIN_UNLOADED, "not_started")
            await shared.restart(plugin.id)


def _named(ask: Ask, name: str) -> Installed:
    """By ``NAME-VERSION``, or by the name alone where one version is installed."""
    found = [
        plugin
        for plugin in ask.node.services.plugins.all()
        if name in (plugin.id, plugin.manifest.name)
    ]
    if not found:
        raise RefusedError(UNKNOWN_ERROR, "not_found")
    if len(found) > 1:
        raise RefusedError(BAD_PARAMETER, f"which one: {', '.join(item.id for item in found)}")
    return found[0]


def _actions() -> tuple[Operation, ...]:
    told = {
        "load": "Start a plugin, and with the node from now on.",
        "unload": "Stop a plugin, and do not start it with the node any more.",
        "reload": "Load the code of a plugin anew.",
    }
    return tuple(
        Operation(
            method="PUT", path=f"{place}/plugins/{{plugin}}/{verb}",
            handle=cast("Handler", partial(_act, verb=verb)), summary=summary,
            name=f"{verb}_{'node_' if place else ''}plugin",
        )
        for place in ("", "/nodes/{node}")
        for verb, summary in told.items()
    )  # fmt: skip


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET", path="/plugins", handle=_all_listed, name="list_all_plugins",
        summary="The plugins of each node.",
        data=[{"node": "rookery@127.0.0.1", "plugins": [_PLUGIN]}],
    ),
    Operation(
        method="GET", path="/nodes/{node}/plugins", handle=_listed, name="list_node_plugins",
        summary="The plugins of a node.", data=[_PLUGIN],
    ),
    *_actions(),
)  # fmt: skip
