"""Rules in rows of a database: those of the client that is asked about, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.access.authz import reasons
from rookery.access.authz.matching import fits
from rookery.access.authz.request import AuthzRequest
from rookery.access.authz.source import Finding
from rookery.access.errors import AccessError
from rookery.access.rules_json import rule_from_json
from rookery.access.seldom import SeldomLog


def finding_of_row(
    source: str, number: int, row: Mapping[str, Any], request: AuthzRequest, log: SeldomLog
) -> Finding | None:
    """What a row says; none: it does not fit.

    A row that is no rule is passed over as in EMQX, unless it denies: then it denies everything it
    may have been about.
    """
    try:
        rule = rule_from_json(row)
    except AccessError as error:
        log.warning("authorization by %s: row %d is no rule: %s", source, number, error)
        if row.get("permission") == "deny":
            return Finding("deny", reasons.ROW_DENIES.format(number=number, error=error.words))
        return None
    if not fits(rule, request):
        return None
    return Finding(rule.permission, reasons.ROW_FITS.format(number=number))
