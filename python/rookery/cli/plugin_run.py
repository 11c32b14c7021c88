"""``rookery plugin run``: a plugin in a node of this machine, from the folder it is written in.

The node is given an archive of the folder under a version of its own (``1.0.0+dev.1``), and another
one whenever a file of it changes. The one before has ended then: old and new code never run
together. Settings stay from one to the next.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import TIMEOUT_S
from rookery.cli.ctl.plugins import archive_body, json_of, plugin_path
from rookery.cli.messages import language, say
from rookery.cli.parsers import add_command, add_place
from rookery.client.management import ManagementClient
from rookery.config.load import data_dir_of
from rookery.errors import NotFoundError, RookeryError
from rookery.file_watch import FileWatch
from rookery.plugins.build import build, sources

EXAMPLES = """\
  rookery plugin run
  rookery plugin run shout --value '{"mark": "?"}'"""


def declare(verbs: Any) -> None:
    """Add the verb."""
    parser = add_command(verbs, "run", "help.plugin.run", _run, examples=EXAMPLES)
    parser.add_argument(
        "project", metavar="FOLDER", type=Path, nargs="?", default=Path(),
        help=say("option.plugin-project"),
    )  # fmt: skip
    parser.add_argument("--value", metavar="JSON", help=say("option.plugin-value"))
    add_place(parser)


def _run(arguments: argparse.Namespace) -> int:
    settings = None if arguments.value is None else json_of(arguments.value)
    # Code is run: only the socket of a node on this machine takes it without more ado.
    data_dir = data_dir_of(arguments.data_dir, arguments.config)
    node = ManagementClient(data_dir, timeout_s=TIMEOUT_S, language=language())
    node.get(plugin_path())  # without a node there is nothing to wait for
    trial = Trial(arguments.project.resolve(), node, settings)
    return asyncio.run(_develop(trial))


class Trial:
    """The plugin in the node: once the folder's version runs, it is the only one made here."""

    def __init__(self, project: Path, node: ManagementClient, settings: Any) -> None:
        self.project = project
        self._node = node
        self._settings = settings
        self._content = b""
        self._number = 0
        self._installed: list[str] = []  # the newest last

    def load(self) -> str | None:
        """Put what the folder holds in the place of what ran; its name, none: nothing changed.

        Raises:
            RookeryError: the folder is no plugin, or the node cannot run it.
        """
        with tempfile.TemporaryDirectory() as folder:
            # Without a number first: the same files make the same archive.
            content = build(self.project, Path(folder)).read_bytes()
            if content == self._content:
                return None
            self._number += 1
            file = build(self.project, Path(folder), suffix=f"+dev.{self._number}")
            self._content = b""  # until it runs
            self._replace(file.name.removesuffix(".tar.gz"), file.read_bytes())
            self._content = content
        return self._installed[-1]

    def _replace(self, name: str, archive: bytes) -> None:
        self._node.post(plugin_path("install"), archive_body(archive))
        self._installed.append(name)
        if self._settings is not None:
            self._node.put(plugin_path(name, "config"), self._settings)
            self._settings = None  # what is set later stays
        try:
            # In the place of the one that runs: what clients ask meanwhile waits.
            self._node.put(plugin_path(name, "start"))
        finally:
            for other in self._installed[:-1]:
                self._remove_stopped(other)

    def _remove_stopped(self, name: str) -> None:
        """Take one out; it goes on if the next one could not even begin."""
        with contextlib.suppress(NotFoundError):
            if self._node.get(plugin_path(name))["status"] != "stopped":
                return
            self._node.delete(plugin_path(name))
        self._installed.remove(name)

    def remove(self) -> None:
        """Take it out of the node."""
        for name in self._installed:
            with contextlib.suppress(NotFoundError):
                self._node.delete(plugin_path(name))


async def _develop(trial: Trial) -> int:
    changed, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    _listen(changed)
    watch = FileWatch(changed.set)
    ending = asyncio.ensure_future(ended.wait())
    try:
        while not ended.is_set():
            changed.clear()
            # Before it is read: what changes meanwhile is read again.
            watch.watch(sources(trial.project))
            await _load(trial)
            changing = asyncio.ensure_future(changed.wait())
            await asyncio.wait({changing, ending}, return_when=asyncio.FIRST_COMPLETED)
            changing.cancel()
    finally:
        watch.close()
        await asyncio.to_thread(trial.remove)
    output.line(say("plugin.run-over"))
    return output.OK


async def _load(trial: Trial) -> None:
    try:
        name = await asyncio.to_thread(trial.load)
    except RookeryError as error:
        output.complain(error.message)
    except OSError as error:  # such as a file that is being replaced: its notice follows
        output.complain(str(error))
    else:
        if name is not None:
            output.line(say("plugin.running", name=name))


def _listen(changed: asyncio.Event) -> None:
    """Enter reads the files again, where nobody tells of changes."""
    loop = asyncio.get_running_loop()

    def on_line() -> None:
        if sys.stdin.readline():
            changed.set()
        else:
            loop.remove_reader(sys.stdin)

    # What is no terminal and no pipe cannot be waited for, and needs not be.
    with contextlib.suppress(OSError, ValueError):
        loop.add_reader(sys.stdin, on_line)
