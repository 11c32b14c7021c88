"""The configuration of a control plane: the section ``control`` of the same sources as a node's.

One file may hold both: a node leaves ``control`` alone, and the control plane everything else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rookery.config import sources
from rookery.config.check import check
from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.schema.control import CONTROL
from rookery.config.tree import DEFAULT, Node, Origin, merge, nested, wrap
from rookery.types import Secret

SECTION = "control"
FOLDER = "control"
"""Below the usual data directory: a node may have the rest of it."""
CONFIG_FILE_NAME = "control.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlConfig:
    """A checked configuration. Never changes.

    Attributes:
        database: Address of a database; empty: a file in the data directory.
        host: Where the port of the console is.
        port: 0 takes a free one.
        certfile: A certificate that was brought, with its key; else one is made.
        cacertfile: What agents are told to trust; the certificate itself without one.
        tls_names: Names and addresses for a certificate that is made; else those of the machine.
        values: Every value of the section by its name; features take their own parts from here.
        warnings: What has no effect.
    """

    data_dir: Path
    config_file: Path | None
    database: Secret
    host: str
    port: int
    certfile: Path | None
    keyfile: Path | None
    cacertfile: Path | None
    tls_names: tuple[str, ...]
    values: Mapping[str, Any]
    shown: Mapping[str, Any]
    warnings: tuple[Problem, ...]


def load_control(
    config_file: Path | None = None,
    data_dir: Path | None = None,
    sets: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    *,
    beside_node: bool = False,
) -> ControlConfig:
    """Read all sources and check the section.

    Args:
        config_file: Else ``ROOKERY_CONFIG``, else ``control.conf`` in the data directory.
        data_dir: Else ``control.data_dir``, or the folder ``control`` in the usual place.
        sets: ``key=value`` texts that stand above everything.
        environ: Instead of the environment of this process.
        defaults: Stands below everything but the schema's own defaults.
        beside_node: Other sections belong to a node that is started along.

    Raises:
        InvalidConfigError: with everything that is wrong.
    """
    environ = dict(os.environ) if environ is None else environ
    from_environ, _ = sources.from_environ(environ)
    from_sets = sources.from_sets(sets)
    if not beside_node:
        _refuse_others(from_sets)
    above = merge(from_environ, from_sets)
    usual = _usual_dir(environ)
    place = data_dir.absolute() if data_dir is not None else _written_dir(above) or usual
    if config_file is None:
        config_file = _usual_file(place, environ)
    written = Node({}, DEFAULT)
    if config_file is not None:
        written = sources.read_file(config_file, "file", environ)
        if data_dir is None and _written_dir(above) is None:
            place = _written_dir(written, config_file.absolute().parent) or place
    tree = merge(merge(wrap(dict(defaults or {}), DEFAULT), written), above)
    section = _section(tree)
    section = merge(
        section, nested([SECTION, "data_dir"], Node(str(place), Origin("set", "--data-dir")))
    )
    checked = check(section, CONTROL)
    if checked.problems:
        raise InvalidConfigError(checked.problems)
    return _config(checked.values[SECTION], checked.shown, place, config_file, checked.warnings)


def control_data_dir(
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
    place = given.absolute() if given is not None else _written_dir(above)
    if place is not None:
        return place
    usual = _usual_dir(environ)
    config_file = config_file or _usual_file(usual, environ)
    if config_file is None:
        return usual
    written = sources.read_file(config_file, "file", environ)
    return _written_dir(written, config_file.absolute().parent) or usual


def _config(
    values: Mapping[str, Any],
    shown: Mapping[str, Any],
    data_dir: Path,
    config_file: Path | None,
    warnings: Sequence[Problem],
) -> ControlConfig:
    tls = values["tls"]
    if bool(tls["certfile"]) != bool(tls["keyfile"]):
        missing = "keyfile" if tls["certfile"] else "certfile"
        raise InvalidConfigError([Problem("required", f"{SECTION}.tls.{missing}", DEFAULT)])
    base = data_dir if config_file is None else config_file.absolute().parent

    def file(name: str) -> Path | None:
        return base / Path(tls[name]).expanduser() if tls[name] else None

    return ControlConfig(
        data_dir=data_dir,
        config_file=config_file,
        database=values["database"],
        host=values["bind"].host,
        port=values["bind"].port,
        certfile=file("certfile"),
        keyfile=file("keyfile"),
        cacertfile=file("cacertfile"),
        tls_names=tuple(tls["names"]),
        values=values,
        shown=shown,
        warnings=tuple(warnings),
    )


def _section(tree: Node) -> Node:
    found = tree.value.get(SECTION) if isinstance(tree.value, dict) else None
    return Node({SECTION: found or Node({}, DEFAULT)}, tree.origin)


def _refuse_others(tree: Node) -> None:
    names = [name for name in tree.value if name != SECTION] if isinstance(tree.value, dict) else []
    if names:
        origin = Origin("set")
        raise InvalidConfigError(
            [Problem("unknown", name, origin, allowed=SECTION) for name in names]
        )


def _usual_dir(environ: Mapping[str, str]) -> Path:
    named = environ.get("ROOKERY_DATA_DIR")
    base = Path(named).expanduser().absolute() if named else sources.default_data_dir(environ)
    return base / FOLDER


def _usual_file(place: Path, environ: Mapping[str, str]) -> Path | None:
    if named := environ.get("ROOKERY_CONFIG"):
        return Path(named)
    usual = place / CONFIG_FILE_NAME
    return usual if usual.is_file() else None


def _written_dir(tree: Node, base: Path | None = None) -> Path | None:
    section = tree.value.get(SECTION) if isinstance(tree.value, dict) else None
    written = section.value.get("data_dir") if section and isinstance(section.value, dict) else None
    if written is None or not isinstance(written.value, str) or not written.value:
        return None
    path = Path(written.value).expanduser()
    return path.absolute() if base is None else (base / path).resolve()
