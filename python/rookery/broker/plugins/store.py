"""Where plugins are on disk: ``plugins/`` of the data directory.

state.json           order, what starts with the node, what may be installed
installed/ID/        what the archive held
settings/NAME.json   what an operator has set; it stays when the plugin is updated
run/NAME.json        how an operator wants it to be run
archives/ID.tar.gz   the archive, for other nodes of the cluster
replica.json         what all nodes of the cluster have, and how far this one follows
environments/ID/     its Python environment
data/NAME/           its own directory
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery.errors import InternalError
from rookery.plugins import archive
from rookery.plugins.manifest import NAME, VERSION, Manifest

ALLOWED_MAX = 100
NAME_AND_VERSION = re.compile(f"(?:{NAME.pattern})-(?:{VERSION.pattern})")


@dataclass(slots=True)
class State:
    """``state.json``.

    Attributes:
        order: Ids in order; whether each starts with the node, and its hookpoints.
        allowed: Ids that may be installed.
    """

    order: list[tuple[str, bool, tuple[str, ...]]] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)


class PluginStore:
    """Reads and writes; every method may wait for the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def exists(self) -> bool:
        """Whether there was ever a plugin."""
        return (self.folder / "state.json").exists()

    def folder_of(self, plugin_id: str) -> Path:
        return self.folder / "installed" / plugin_id

    def environment_of(self, plugin_id: str) -> Path:
        return self.folder / "environments" / plugin_id

    def data_of(self, name: str) -> Path:
        """The plugin's own directory, which is there then."""
        folder = self.folder / "data" / name
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        return folder

    @property
    def import_path(self) -> Path:
        """A folder that holds this package and nothing else, for the environments of plugins."""
        import rookery  # noqa: PLC0415

        folder = self.folder / "import"
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        link, package = folder / "rookery", Path(rookery.__file__).parent
        if not link.is_symlink() or link.readlink() != package:
            link.unlink(missing_ok=True)
            link.symlink_to(package)
        return folder

    def read_state(self) -> State:
        found = self._read("state.json")
        if found is None:
            return State()
        try:
            order = [
                (str(item["id"]), bool(item["enable"]), tuple(item.get("hookpoints", ())))
                for item in found["plugins"]
            ]
            return State(order, [str(item) for item in found.get("allowed", [])])
        except (KeyError, TypeError) as error:
            message = f"{self.folder}/state.json holds something else: {error!r}"
            raise InternalError(message) from None

    def write_state(self, state: State) -> None:
        plugins = [
            {"id": plugin_id, "enable": enable, "hookpoints": hookpoints}
            for plugin_id, enable, hookpoints in state.order
        ]
        self._write("state.json", {"plugins": plugins, "allowed": state.allowed})

    def install(self, content: bytes) -> Manifest:
        """Unpack an archive: all of it, or nothing is left."""
        manifest = archive.read_manifest(content)
        beside = self.folder / "installed" / f".{manifest.id}"
        shutil.rmtree(beside, ignore_errors=True)
        try:
            archive.unpack(content, beside)
            self._keep_archive(manifest.id, content)
            beside.rename(self.folder_of(manifest.id))
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        return manifest

    def is_installed(self, plugin_id: str) -> bool:
        """Whether it is there, whole. The name may be anything."""
        return (
            NAME_AND_VERSION.fullmatch(plugin_id) is not None
            and (self.folder_of(plugin_id) / archive.MANIFEST).exists()
        )

    def archive_of(self, plugin_id: str) -> bytes:
        """The archive of what is installed; of an earlier version of Rookery one like it."""
        try:
            return self._archive(plugin_id).read_bytes()
        except FileNotFoundError:
            content = archive.pack_folder(self.folder_of(plugin_id))
            self._keep_archive(plugin_id, content)
            return content

    def archive_part(self, plugin_id: str, offset: int, most: int) -> tuple[bytes, int]:
        """A part of it, and how long all of it is."""
        with self._archive(plugin_id).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(offset)
            return file.read(most), size

    def _archive(self, plugin_id: str) -> Path:
        return self.folder / "archives" / f"{plugin_id}.tar.gz"

    def _keep_archive(self, plugin_id: str, content: bytes) -> None:
        target = self._archive(plugin_id)
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        beside = target.with_name(target.name + ".new")
        beside.write_bytes(content)
        beside.rename(target)

    def remove(self, plugin_id: str, name: str, *, is_last: bool) -> None:
        """Remove what was installed; of the last version also settings and data."""
        shutil.rmtree(self.folder_of(plugin_id), ignore_errors=True)
        shutil.rmtree(self.environment_of(plugin_id), ignore_errors=True)
        self._archive(plugin_id).unlink(missing_ok=True)
        if is_last:
            shutil.rmtree(self.folder / "data" / name, ignore_errors=True)
            for kind in ("settings", "run"):
                (self.folder / kind / f"{name}.json").unlink(missing_ok=True)

    def read_installed(self, plugin_id: str) -> tuple[Manifest, Mapping[str, Any] | None, str]:
        """Manifest, schema and README of a plugin that is installed."""
        folder = self.folder_of(plugin_id)
        manifest = Manifest.from_json(json.loads((folder / archive.MANIFEST).read_bytes()))
        schema_file, readme = folder / archive.SCHEMA, folder / archive.README
        schema = json.loads(schema_file.read_bytes()) if schema_file.exists() else None
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.exists() else ""
        return manifest, schema, text

    def read_settings(self, name: str) -> dict[str, Any]:
        return self._read(f"settings/{name}.json") or {}

    def write_settings(self, name: str, settings: Mapping[str, Any]) -> None:
        self._write(f"settings/{name}.json", settings)

    def read_run(self, name: str) -> dict[str, Any]:
        return self._read(f"run/{name}.json") or {}

    def write_run(self, name: str, run: Mapping[str, Any]) -> None:
        self._write(f"run/{name}.json", run)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / name).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise InternalError(f"{self.folder / name} is damaged: {error}") from None
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        """Whole or not at all; settings may hold secrets."""
        target = self.folder / name
        target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        beside = target.with_name(target.name + ".new")
        content = json.dumps(value, ensure_ascii=False, indent=2).encode()
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(target)
