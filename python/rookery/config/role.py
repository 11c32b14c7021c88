"""The sources of a role that has one section of its own: a control plane, an edge service.

The same sources as a node's. One file may hold all of them: a node leaves the sections of the others alone,
and each of them everything but its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rookery.config import sources
from rookery.config.check import check
from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.schema.model import Struct
from rookery.config.tree import DEFAULT, Node, Origin, merge, nested, wrap

OWN_SECTIONS = ("control", "edge")
"""What a node leaves alone."""


class RoleValues(NamedTuple):
    """What was read and checked."""

    values: Mapping[str, Any]
    shown: Mapping[str, Any]
    data_dir: Path
    config_file: Path | None
    warnings: tuple[Problem, ...]

    def file(self, name: str) -> Path | None:
        """A file that ``tls`` names; a relative one lies beside the configuration."""
        base = self.data_dir if self.config_file is None else self.config_file.absolute().parent
        written = self.values["tls"][name]
        return base / Path(written).expanduser() if written else None


class RoleSources(NamedTuple):
    """Where a role is configured.

    Attributes:
        section: Its name, and that of its folder below the usual data directory: a node may have the rest.
        schema: The section alone.
        foreign: Reads names of other products in the environment; they stand below the own ones.
        pairs: Certificate and key, by their paths in the section: both or none is written.
    """

    section: str
    schema: Struct
    foreign: Callable[[Mapping[str, str]], Node] | None = None
    pairs: tuple[tuple[str, str], ...] = (("tls.certfile", "tls.keyfile"),)

    def load(
        self,
        config_file: Path | None,
        data_dir: Path | None,
        sets: Sequence[str],
        environ: Mapping[str, str] | None,
        defaults: Mapping[str, Any] | None = None,
        *,
        beside_node: bool = False,
    ) -> RoleValues:
        """Read all sources and check the section.

        Args:
            config_file: Else ``ROOKERY_CONFIG``, else ``SECTION.conf`` in the data directory.
            data_dir: Else ``SECTION.data_dir``, or the role's folder in the usual place.
            sets: ``key=value`` texts that stand above everything.
            environ: Instead of the environment of this process.
            defaults: Stands below everything but the schema's own defaults.
            beside_node: Other sections belong to a node that is started along.

        Raises:
            InvalidConfigError: with everything that is wrong.
        """
        environ = dict(os.environ) if environ is None else environ
        from_environ, _ = sources.from_environ(environ)
        if self.foreign is not None:
            from_environ = merge(self.foreign(environ), from_environ)
        from_sets = sources.from_sets(sets)
        if not beside_node:
            self._refuse_others(from_sets)
        above = merge(from_environ, from_sets)
        usual = self._usual_dir(environ)
        place = data_dir.absolute() if data_dir else self._written_dir(above) or usual
        if config_file is None:
            config_file = self._usual_file(place, environ)
        written = Node({}, DEFAULT)
        warnings: list[Problem] = []
        if config_file is not None:
            written = sources.read_file(config_file, "file", environ, warnings)
            if data_dir is None and self._written_dir(above) is None:
                place = self._written_dir(written, config_file.absolute().parent) or place
        tree = merge(merge(wrap(dict(defaults or {}), DEFAULT), written), above)
        chosen = Node(str(place), Origin("set", "--data-dir"))
        section = merge(self._own(tree), nested([self.section, "data_dir"], chosen))
        checked = check(section, self.schema)
        if checked.problems:
            raise InvalidConfigError(checked.problems)
        values = checked.values[self.section]
        self._refuse_half_pairs(values)
        return RoleValues(values, checked.shown, place, config_file, (*warnings, *checked.warnings))

    def data_dir(
        self,
        given: Path | None,
        config_file: Path | None,
        environ: Mapping[str, str] | None,
    ) -> Path:
        """The data directory alone, from sources that need not be good otherwise.

        Raises:
            InvalidConfigError: the configuration file cannot be read.
        """
        environ = os.environ if environ is None else environ
        above, _ = sources.from_environ(environ)
        place = given.absolute() if given is not None else self._written_dir(above)
        if place is not None:
            return place
        usual = self._usual_dir(environ)
        config_file = config_file or self._usual_file(usual, environ)
        if config_file is None:
            return usual
        written = sources.read_file(config_file, "file", environ)
        return self._written_dir(written, config_file.absolute().parent) or usual

    def _refuse_half_pairs(self, values: Mapping[str, Any]) -> None:
        problems = []
        for pair in self.pairs:
            written = [name for name in pair if _at(values, name)]
            if len(written) == 1:
                (missing,) = set(pair) - set(written)
                path = f"{self.section}.{missing}"
                problems.append(Problem("required", path, DEFAULT))
        if problems:
            raise InvalidConfigError(problems)

    def _own(self, tree: Node) -> Node:
        found = tree.value.get(self.section) if isinstance(tree.value, dict) else None
        return Node({self.section: found or Node({}, DEFAULT)}, tree.origin)

    def _refuse_others(self, tree: Node) -> None:
        written = tree.value if isinstance(tree.value, dict) else {}
        names = [name for name in written if name != self.section]
        if names:
            origin = Origin("set")
            raise InvalidConfigError(
                [Problem("unknown", name, origin, allowed=self.section) for name in names]
            )

    def _usual_dir(self, environ: Mapping[str, str]) -> Path:
        named = environ.get("ROOKERY_DATA_DIR")
        base = Path(named).expanduser().absolute() if named else sources.default_data_dir(environ)
        return base / self.section

    def _usual_file(self, place: Path, environ: Mapping[str, str]) -> Path | None:
        if named := environ.get("ROOKERY_CONFIG"):
            return Path(named)
        usual = place / f"{self.section}.conf"
        return usual if usual.is_file() else None

    def _written_dir(self, tree: Node, base: Path | None = None) -> Path | None:
        section = tree.value.get(self.section) if isinstance(tree.value, dict) else None
        inside = section.value if section is not None else None
        written = inside.get("data_dir") if isinstance(inside, dict) else None
        if written is None or not isinstance(written.value, str) or not written.value:
            return None
        path = Path(written.value).expanduser()
        return path.absolute() if base is None else (base / path).resolve()


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values[key]
    return values


def without_roles(tree: Node) -> Node:
    """What is left for a node."""
    if not isinstance(tree.value, dict) or not set(OWN_SECTIONS) & set(tree.value):
        return tree
    others = {name: child for name, child in tree.value.items() if name not in OWN_SECTIONS}
    return Node(others, tree.origin)
