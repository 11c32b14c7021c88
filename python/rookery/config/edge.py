"""The configuration of an edge service: the section ``edge``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rookery.config.problems import Problem
from rookery.config.role import RoleSources
from rookery.config.schema.edge import EDGE
from rookery.types import Secret

SECTION = "edge"

_SOURCES = RoleSources(SECTION, EDGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeConfig:
    """A checked configuration. Never changes.

    Attributes:
        host: Where the port of the pages is.
        port: 0 takes a free one.
        certfile: A certificate that was brought, with its key; else one is made.
        tls_names: Names and addresses for a certificate that is made; else those of the machine.
        is_plain_everywhere: HTTP without encryption is answered to other machines, too.
        admin_password: Of the first user; empty: the default one, that has to be changed.
        log_level: Least severe level written.
        warnings: What has no effect.
    """

    data_dir: Path
    config_file: Path | None
    host: str
    port: int
    certfile: Path | None
    keyfile: Path | None
    cacertfile: Path | None
    tls_names: tuple[str, ...]
    is_plain_everywhere: bool
    admin_password: Secret
    token_lifetime_s: float
    log_level: str
    shown: Mapping[str, Any]
    warnings: tuple[Problem, ...]


def load_edge(
    config_file: Path | None = None,
    data_dir: Path | None = None,
    sets: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> EdgeConfig:
    """Read all sources and check the section: see :meth:`rookery.config.role.RoleSources.load`.

    Raises:
        InvalidConfigError: with everything that is wrong.
    """
    read = _SOURCES.load(config_file, data_dir, sets, environ)
    values = read.values
    return EdgeConfig(
        data_dir=read.data_dir,
        config_file=read.config_file,
        host=values["bind"].host,
        port=values["bind"].port,
        certfile=read.file("certfile"),
        keyfile=read.file("keyfile"),
        cacertfile=read.file("cacertfile"),
        tls_names=tuple(values["tls"]["names"]),
        is_plain_everywhere=values["tls"]["plain"] == "any",
        admin_password=values["admin_password"],
        token_lifetime_s=values["token_lifetime"] / 1000,
        log_level=values["log"]["level"],
        shown=read.shown,
        warnings=read.warnings,
    )


def edge_data_dir(
    given: Path | None = None,
    config_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """The data directory alone, from sources that need not be good otherwise.

    Raises:
        InvalidConfigError: the configuration file cannot be read.
    """
    return _SOURCES.data_dir(given, config_file, environ)
