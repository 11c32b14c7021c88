"""Plugins for tests: their archives, and a node that runs them."""

from __future__ import annotations

import textwrap
import uuid
from pathlib import Path
from typing import Any

from harness.operator import Operator
from rookery.client.management import Content, path_of
from rookery.plugins.archive import pack
from rookery.plugins.manifest import Manifest, Running


def archive_of(
    code: str, *, name: str = "probe", version: str = "1.0.0", schema: str = "", **run: Any
) -> bytes:
    """An archive of a plugin with this code, whose class is called ``Probe``."""
    files = {f"package/{name}.py": textwrap.dedent(code).encode()}
    if schema:
        files["config_schema.json"] = schema.encode()
    manifest = Manifest(name=name, rel_vsn=version, entry=f"{name}:Probe", run=Running(**run))
    return pack(manifest, files)


def multipart(archive: bytes) -> Content:
    """The body with which a plugin is installed."""
    mark = uuid.uuid4().hex
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="plugin"; filename="plugin.tar.gz"\r\n'
        "Content-Type: application/gzip\r\n\r\n"
    )
    content = head.encode() + archive + f"\r\n--{mark}--\r\n".encode()
    return Content(content, f"multipart/form-data; boundary={mark}")


class Plugins:
    """The plugins of a node, operated from outside."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def install(self, archive: bytes) -> None:
        self.operator.rest.post("/plugins/install", multipart(archive))

    def act(self, plugin: str, action: str) -> None:
        self.operator.rest.put(path_of("plugins", plugin, action))

    def run(self, archive: bytes, plugin: str = "probe-1.0.0") -> None:
        self.install(archive)
        self.act(plugin, "start")

    def pids(self) -> set[int]:
        """Processes of plugins of this node: its children that run the worker module."""
        found = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                command = (folder / "cmdline").read_bytes()
            except OSError:  # gone meanwhile
                continue
            if int(parent) == self.operator.node.pid and b"rookery.plugins.worker" in command:
                found.add(int(folder.name))
        return found

    def row(self, plugin: str = "probe-1.0.0") -> dict[str, Any]:
        row: dict[str, Any] = self.operator.rest.get(path_of("plugins", plugin))
        return row
