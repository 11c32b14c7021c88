"""``type = postgresql``: rules of a client in a table of the operator, in the order selected.

Columns are those of a rule: ``permission``, ``action``, ``topic``, and perhaps ``qos``, ``retain``,
``ipaddr``, ``username_re``, ``clientid_re``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from rookery.access.authz.matching import fits
from rookery.access.authz.request import VARIABLES, AuthzRequest
from rookery.access.authz.source import Finding, ask
from rookery.access.chain import OnError
from rookery.access.databases.postgresql import PostgresqlService, PostgresqlSettings
from rookery.access.errors import AccessError
from rookery.access.rules_json import rule_from_json
from rookery.access.seldom import SeldomLog
from rookery.clock import Clock

_logger = logging.getLogger(__name__)


class PostgresqlSource:
    """Asks PostgreSQL for rules and matches them."""

    def __init__(
        self,
        settings: PostgresqlSettings,
        clock: Clock,
        *,
        on_error: OnError = "ignore",
        name: str = "postgresql",
    ) -> None:
        self.name = name
        self._on_error: OnError = on_error
        self._log = SeldomLog(_logger, clock)
        self.service = PostgresqlService(settings, clock, known=VARIABLES, where=f"{name} source")

    async def start(self) -> None:
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()

    async def find(self, request: AuthzRequest) -> Finding:
        async def question() -> Finding:
            rows = await self.service.rows(request.variable)
            for number, row in enumerate(rows, start=1):
                finding = finding_of_row(self.name, number, row, request, self._log)
                if finding is not None:
                    return finding
            return Finding("none", f"none of {len(rows)} rows fits")

        return await ask(self.name, self._on_error, self._log, question)


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
            return Finding("deny", f"row {number} denies and is no rule: {error}")
        return None
    if not fits(rule, request):
        return None
    return Finding(rule.permission, f"row {number} fits")
