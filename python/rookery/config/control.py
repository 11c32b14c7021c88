"""The configuration of a control plane: the section ``control``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rookery.config.nanomq import from_nanomq
from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.role import RoleSources
from rookery.config.schema.control import CONTROL
from rookery.types import Secret

SECTION = "control"
FOLDER = SECTION
"""Below the usual data directory: a node may have the rest of it."""

_SOURCES = RoleSources(
    SECTION,
    CONTROL,
    from_nanomq,
    (
        ("tls.certfile", "tls.keyfile"),
        ("relay.ssl_options.certfile", "relay.ssl_options.keyfile"),
        ("mqtt.certFile", "mqtt.keyFile"),
    ),
)


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
    """Read all sources and check the section: see :meth:`rookery.config.role.RoleSources.load`.

    Raises:
        InvalidConfigError: with everything that is wrong.
    """
    read = _SOURCES.load(config_file, data_dir, sets, environ, defaults, beside_node=beside_node)
    values = read.values
    options = values["relay"]["ssl_options"]
    if options["fail_if_no_peer_cert"] and not options["verify_peer"]:
        # It would ask nobody, whatever its name promises.
        path = "control.relay.ssl_options"
        needs = Problem("needs", f"{path}.fail_if_no_peer_cert", near=f"{path}.verify_peer = true")
        raise InvalidConfigError([needs])
    return ControlConfig(
        data_dir=read.data_dir,
        config_file=read.config_file,
        database=values["database"],
        host=values["bind"].host,
        port=values["bind"].port,
        certfile=read.file("certfile"),
        keyfile=read.file("keyfile"),
        cacertfile=read.file("cacertfile"),
        tls_names=tuple(values["tls"]["names"]),
        values=values,
        shown=read.shown,
        warnings=read.warnings,
    )


def control_data_dir(
    given: Path | None = None,
    config_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """The data directory alone, from sources that need not be good otherwise.

    Raises:
        InvalidConfigError: the configuration file cannot be read.
    """
    return _SOURCES.data_dir(given, config_file, environ)
