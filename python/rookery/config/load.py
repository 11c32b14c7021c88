"""Puts the sources on top of each other and checks the result.

Precedence, later wins, as in EMQX: defaults, changes made while the node ran, the configuration
file, the environment, ``--set``. A value remembers which of them set it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rookery.config import sources
from rookery.config.between import between_keys
from rookery.config.build import management_config, node_config
from rookery.config.check import Checked, check
from rookery.config.draft import Draft, Look
from rookery.config.leftovers import without_leftovers
from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.role import without_roles
from rookery.config.schema import ROOT
from rookery.config.snapshot import ManagementConfig
from rookery.config.tree import DEFAULT, Node, Origin, join_path, merge, nested, split_path, wrap
from rookery.native.config import NodeConfig

CONFIG_FILE_NAME = "rookery.conf"
RUNTIME_FILE = Path("configs") / "cluster.hocon"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a configuration came from, so that it can be read again."""

    config_file: Path | None
    data_dir: Path | None
    sets: tuple[str, ...]
    environ: Mapping[str, str]
    defaults: Mapping[str, Any] | None

    def load(self, runtime: Node | None = None) -> Config:
        """Read everything again; ``runtime`` instead of the changes that the data directory holds.

        Raises:
            InvalidConfigError: with everything that is wrong.
        """
        return load(
            self.config_file, self.data_dir, self.sets, self.environ, self.defaults, runtime
        )

    def above_runtime(self) -> Node:
        """What stands above changes made while a node runs.

        Raises:
            InvalidConfigError: the configuration file cannot be read.
        """
        above = merge(sources.from_environ(self.environ)[0], sources.from_sets(self.sets))
        chosen_dir, _ = _chosen_data_dir(self.data_dir, above, self.environ)
        config_file = _chosen_file(self.config_file, self.environ, chosen_dir)
        if config_file is None:
            return above
        return merge(sources.read_file(config_file, "file", self.environ), above)


class Config:
    """A checked configuration. Never changes; a change makes another one."""

    def __init__(
        self,
        checked: Checked,
        *,
        data_dir: Path,
        config_file: Path | None,
        warnings: Sequence[Problem],
        data_dir_origin: Origin,
        sources: Sources,
    ) -> None:
        self.data_dir = data_dir
        self.sources = sources
        self.config_file = config_file
        self.warnings = tuple(warnings)
        self._values = checked.values
        self._shown = checked.shown
        self._origins = {**checked.origins, ("node", "data_dir"): data_dir_origin}
        self._shown["node"]["data_dir"] = str(data_dir)
        self._native = node_config(self._values, data_dir)
        self._management = management_config(self._values, data_dir)

    def __getitem__(self, path: str) -> Any:
        """The parsed value at ``path``: durations in milliseconds, sizes in bytes."""
        value: Any = self._values
        for key in split_path(path):
            value = value[key]
        return value

    def effective(self) -> dict[str, Any]:
        """What holds, as one would write it; secrets are hidden."""
        return self._shown

    def origin(self, path: str) -> Origin:
        """Which source set the value at ``path``."""
        return self._origins.get(tuple(split_path(path)), DEFAULT)

    def settings(self) -> Iterator[tuple[str, Any, Origin]]:
        """Every value that holds with its path and origin, in the schema's order."""
        yield from self._walk(self._shown, ())

    def _walk(self, shown: Any, at: tuple[str, ...]) -> Iterator[tuple[str, Any, Origin]]:
        if isinstance(shown, dict) and shown and at not in self._origins:
            for key, child in shown.items():
                yield from self._walk(child, (*at, key))
        elif at:
            yield join_path(at), shown, self._origins.get(at, DEFAULT)

    def to_native(self) -> NodeConfig:
        """What is pushed to the core."""
        return self._native

    @property
    def management(self) -> ManagementConfig:
        """What stays in Python: HTTP, ``$SYS``, logs, alarms."""
        return self._management


def load(
    config_file: Path | None = None,
    data_dir: Path | None = None,
    sets: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    runtime: Node | None = None,
    look: Look | None = None,
) -> Config:
    """Read all sources and check them.

    Args:
        config_file: Else ``ROOKERY_CONFIG``, else ``rookery.conf`` in the data directory if it
            is there.
        data_dir: Else ``node.data_dir``, ``ROOKERY_DATA_DIR`` or the user's usual place.
        sets: ``key=value`` texts that stand above everything.
        environ: Instead of the environment of this process.
        defaults: A tree that stands below everything but the schema's own defaults.
        runtime: Instead of what the data directory holds of changes made while a node ran.
        look: Finds more that is wrong, also in what something is wrong with already.

    Raises:
        InvalidConfigError: with everything that is wrong.
    """
    environ = dict(os.environ) if environ is None else environ
    read_from = Sources(config_file, data_dir, tuple(sets), environ, defaults)
    env_tree, warnings = sources.from_environ(environ)
    set_tree = sources.from_sets(sets)
    above = merge(env_tree, set_tree)
    chosen_dir, dir_origin = _chosen_data_dir(data_dir, above, environ)
    config_file = _chosen_file(config_file, environ, chosen_dir)

    written = None
    if config_file is not None:
        written = sources.read_file(config_file, "file", environ, warnings)
        if dir_origin is DEFAULT:
            chosen_dir, dir_origin = _data_dir_of_file(written, config_file, chosen_dir)
    tree = wrap(dict(defaults or {}), DEFAULT)
    runtime_file = chosen_dir / RUNTIME_FILE
    if runtime is None and runtime_file.is_file():
        runtime = sources.read_file(runtime_file, "runtime", {})
    if runtime is not None:
        others = [tree, above] if written is None else [tree, written, above]
        tree = merge(tree, without_leftovers(runtime, others))
    if written is not None:
        tree = merge(tree, written)
    tree = merge(tree, above)
    tree = merge(tree, nested(["node", "data_dir"], Node(str(chosen_dir), dir_origin)))

    checked = check(without_roles(tree), ROOT)
    checked.problems.extend(_empty_data_dir((above, written)))
    if not checked.problems:
        checked.problems.extend(between_keys(checked))
    if look is not None:
        _add_new(checked.problems, look(Draft(checked, chosen_dir)))
    if checked.problems:
        raise InvalidConfigError(_in_line_order(checked.problems))
    return Config(
        checked,
        data_dir=chosen_dir,
        config_file=config_file,
        warnings=[*warnings, *checked.warnings, *_link_warnings(checked)],
        data_dir_origin=dir_origin,
        sources=read_from,
    )


def _link_warnings(checked: Checked) -> list[Problem]:
    if not checked.values["cluster"]["links"]:
        return []
    # Few nodes have links.
    from rookery.config import links  # noqa: PLC0415

    return list(links.warnings(checked))


def _add_new(problems: list[Problem], more: Iterable[Problem]) -> None:
    known = {(found.kind, found.path) for found in problems}
    problems.extend([it for it in more if (it.kind, it.path) not in known])


def data_dir_of(
    given: Path | None = None,
    config_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """The data directory alone, from sources that need not be good otherwise.

    Raises:
        InvalidConfigError: the configuration file cannot be read.
    """
    environ = os.environ if environ is None else environ
    above, _ = sources.from_environ(environ)
    chosen_dir, origin = _chosen_data_dir(given, above, environ)
    config_file = _chosen_file(config_file, environ, chosen_dir)
    if origin is DEFAULT and config_file is not None:
        written = sources.read_file(config_file, "file", environ)
        return _data_dir_of_file(written, config_file, chosen_dir)[0]
    return chosen_dir


def _chosen_file(given: Path | None, environ: Mapping[str, str], data_dir: Path) -> Path | None:
    if given is not None:
        return given
    if named := environ.get("ROOKERY_CONFIG"):
        return Path(named)
    usual = data_dir / CONFIG_FILE_NAME
    return usual if usual.is_file() else None


def _chosen_data_dir(
    given: Path | None, above: Node, environ: Mapping[str, str]
) -> tuple[Path, Origin]:
    if given is not None:
        return given.absolute(), Origin("set", "--data-dir")
    node = _at(above, "node", "data_dir")
    if node is not None and isinstance(node.value, str) and node.value:
        return Path(node.value).expanduser().absolute(), node.origin
    if named := environ.get("ROOKERY_DATA_DIR"):
        return Path(named).expanduser().absolute(), Origin("env", "ROOKERY_DATA_DIR")
    return sources.default_data_dir(environ), DEFAULT


def _data_dir_of_file(tree: Node, config_file: Path, otherwise: Path) -> tuple[Path, Origin]:
    node = _at(tree, "node", "data_dir")
    if node is None or not isinstance(node.value, str) or not node.value:
        return otherwise, DEFAULT
    # A service may be started from anywhere: the file is the only fixed point there is.
    base = config_file.absolute().parent
    return (base / Path(node.value).expanduser()).resolve(), node.origin


def _at(tree: Node, *path: str) -> Node | None:
    node: Node | None = tree
    for key in path:
        if node is None or not isinstance(node.value, dict):
            return None
        node = node.value.get(key)
    return node


def _empty_data_dir(layers: Sequence[Node | None]) -> Iterator[Problem]:
    """It would mean the usual place, which is hardly what was meant."""
    for layer in layers:
        node = None if layer is None else _at(layer, "node", "data_dir")
        if node is not None and node.value == "":
            yield Problem("value", "node.data_dir", node.origin, value='""', allowed="a directory")


def _in_line_order(problems: Sequence[Problem]) -> list[Problem]:
    """Those of one place as somebody reads it from top to bottom; places as they were found."""
    places: dict[tuple[str, str], int] = {}

    def key(problem: Problem) -> tuple[int, int]:
        origin = problem.origin or DEFAULT
        return places.setdefault((origin.kind, origin.where), len(places)), origin.line

    return sorted(problems, key=key)
