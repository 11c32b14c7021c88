"""What every ``rookery ctl`` command does: declare verbs, ask the node, say what it answered."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.cli import output
from rookery.cli.ctl.showing import all_pages, done, pages, show, show_members, stream
from rookery.cli.messages import language, say
from rookery.cli.parsers import Run, add_command, add_json
from rookery.errors import BadRequestError

if TYPE_CHECKING:
    from typing import Any

    from rookery.client.http_client import NodeClient

__all__ = [
    "add_noun",
    "add_verb",
    "all_pages",
    "api",
    "as_noun",
    "done",
    "is_local",
    "node_of",
    "pages",
    "show",
    "show_members",
    "stream",
]

# Reading certificates, hashing an imported file and restarting a listener take their time.
TIMEOUT_S = 60.0
URL_VARIABLE = "ROOKERY_URL"
KEY_VARIABLE = "ROOKERY_API_KEY"


def add_noun(nouns: Any, name: str) -> Any:
    """Declare a noun; its verbs go into what is returned."""
    parser = add_command(nouns, name, f"help.ctl.{name}", None)
    parser.set_defaults(parser=parser)
    return parser.add_subparsers(metavar="VERB")


def add_verb(
    verbs: Any, noun: str, name: str, run: Run, *, examples: str
) -> argparse.ArgumentParser:
    """Declare a verb with the options that all have."""
    parser = add_command(verbs, name, f"help.ctl.{noun}.{name}", run, examples=examples)
    return _add_node(parser)


def as_noun(nouns: Any, name: str, run: Run, *, examples: str) -> argparse.ArgumentParser:
    """Declare a noun that is a command by itself."""
    return _add_node(add_command(nouns, name, f"help.ctl.{name}", run, examples=examples))


def _add_node(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--config", "-c", metavar="FILE", type=Path, help=say("option.config"))
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--data-dir", "-d", metavar="DIR", type=Path, help=say("option.data-dir"))
    place.add_argument("--url", metavar="URL", help=say("option.url"))
    parser.add_argument("--api-key", metavar="KEY:SECRET", help=say("option.api-key"))
    parser.add_argument("--ca-file", metavar="FILE", type=Path, help=say("option.ca-file"))
    add_json(parser)
    return parser


def is_local(arguments: argparse.Namespace) -> bool:
    """Whether the node is asked over the socket in its data directory."""
    return not _url(arguments)


def _url(arguments: argparse.Namespace) -> str:
    if arguments.url:
        return str(arguments.url)
    # Whoever names a directory or a file means this machine, whatever the environment says.
    named = arguments.data_dir or arguments.config
    return "" if named else os.environ.get(URL_VARIABLE, "")


def node_of(arguments: argparse.Namespace) -> NodeClient:
    """The node that the arguments mean.

    Raises:
        BadRequestError: the URL or the API key cannot be used.
    """
    url = _url(arguments)
    if url:
        from rookery.client.remote import RemoteClient  # noqa: PLC0415

        key = arguments.api_key or os.environ.get(KEY_VARIABLE, "")
        if not key:
            raise BadRequestError(say("ctl.no-key", url=url, variable=KEY_VARIABLE))
        return RemoteClient(
            url,
            key,
            ca_file=arguments.ca_file,
            timeout_s=TIMEOUT_S,
            language=language(),
        )
    from rookery.client.management import ManagementClient  # noqa: PLC0415
    from rookery.config.load import data_dir_of  # noqa: PLC0415

    data_dir = data_dir_of(arguments.data_dir, arguments.config)
    return ManagementClient(data_dir, timeout_s=TIMEOUT_S, language=language())


def api(*parts: str, **query: object) -> str:
    """A path of the REST interface, each part kept whole; what is ``None`` is not asked for."""
    from urllib.parse import urlencode  # noqa: PLC0415

    from rookery.client.http_client import path_of  # noqa: PLC0415

    asked = {name: value for name, value in query.items() if value is not None}
    return path_of("api", "v5", *parts) + (f"?{urlencode(asked)}" if asked else "")


def show_kept(arguments: argparse.Namespace, name: str, figure: str) -> int:
    """How many messages are kept, and the settings under ``mqtt/NAME``."""
    node = node_of(arguments)
    stats = node.get(api("stats", aggregate="true"))
    settings = node.get(api("mqtt", name))
    kept = {key: stats.get(key, 0) for key in (f"{figure}.count", f"{figure}.max")}
    if arguments.json:
        return show_members(arguments, {**kept, **settings})
    count, most = kept.values()
    output.line(say(f"ctl.{name}.count", count=count, most=most))
    return show_members(arguments, settings)
