"""``rookery node stop --drain``: clients go elsewhere before the node stops."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.parsers import EVICTED_A_SECOND
from rookery.errors import BadRequestError

if TYPE_CHECKING:
    from rookery.client.management import ManagementClient

# A node answers within a third of that, whatever happens or does not.
PATIENCE_S = 60.0
_OPTIONS = ("wait_health_check", "conn_evict_rate", "wait_takeover", "redirect_to")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those of the evacuation, by the names that ``rookery ctl rebalance start`` has."""
    parser.add_argument("--drain", action="store_true", help=say("option.drain"))
    for name, metavar in zip(_OPTIONS, ("SECONDS", "COUNT", "SECONDS", "HOST:PORT"), strict=True):
        option = name.replace("_", "-")
        parser.add_argument(
            f"--{option}",
            metavar=metavar,
            type=EVICTED_A_SECOND if metavar == "COUNT" else str,
            help=say(f"option.rebalance.{option}"),
        )


def check(arguments: argparse.Namespace) -> None:
    """Options for draining mean nothing without it.

    Raises:
        BadRequestError: one is there.
    """
    if arguments.drain:
        return
    for name in _OPTIONS:
        if getattr(arguments, name) is not None:
            option = "--" + name.replace("_", "-")
            raise BadRequestError(say("node.drain-options", option=option))


def drain(client: ManagementClient, arguments: argparse.Namespace) -> None:
    """Empty the node, and wait until it is.

    Raises:
        RookeryError: it does not begin, or the node does not answer any more.
    """
    if client.get(_path("status")).get("process") != "evacuation":
        given = {name: getattr(arguments, name) for name in _OPTIONS}
        body = {name: value for name, value in given.items() if value is not None}
        # The next start is to take clients.
        own = client.get("/node")["node"]
        client.post(_path(own, "evacuation", "start"), body | {"resume": False})
    try:
        _wait(client)
    except KeyboardInterrupt:
        output.complain(say("node.drain-goes-on"))
        raise


def _path(*parts: str) -> str:
    from rookery.client.http_client import path_of  # noqa: PLC0415

    return path_of("api", "v5", "load_rebalance", *parts)


def _wait(client: ManagementClient) -> None:
    """The node tells each step; nothing is asked again and again."""
    told, seen = "", ""
    while True:
        found = client.get(f"/evacuation?seen={seen}")
        seen, moving = found["steps"], found["moving"] or {}
        stats = moving.get("stats", {})
        text = say(
            "node.drain",
            state=moving.get("state", "-"),
            left=stats.get("current_connected", 0),
            of=stats.get("initial_connected", 0),
        )
        if text != told:
            told = text
            output.complain(text)
        if moving.get("state") in (None, "prohibiting"):
            return
