"""Sources of rules as the core is told them, before anybody connects and after every change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rookery.access import acl_file
from rookery.native.config import AclRule, AclSource


def compile_sources(
    sources: Sequence[dict[str, Any]], built_in: Sequence[AclRule] = ()
) -> tuple[AclSource, ...]:
    """Read every file of rules; services become places where Python is asked.

    Args:
        sources: In the words of the schema, in order, without those that are switched off.
        built_in: Rules of the built-in database.

    Raises:
        AclSyntaxError: a file cannot be read or parsed.
    """
    return tuple(_source(item, tuple(built_in)) for item in sources)


def _source(item: dict[str, Any], built_in: tuple[AclRule, ...]) -> AclSource:
    kind = item["type"]
    if kind == "file":
        return AclSource(name=kind, rules=_rules_of(item))
    if kind == "built_in_database":
        return AclSource(name=kind, rules=built_in)
    return AclSource(name=kind, kind="ask")


def _rules_of(item: dict[str, Any]) -> tuple[AclRule, ...]:
    if item["rules"] is not None:
        return acl_file.parse(item["rules"], file="authorization.sources.rules")
    return acl_file.load(Path(item["path"]))
