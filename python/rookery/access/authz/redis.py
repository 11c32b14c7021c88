"""``type = redis``: rules of a client in a hash of the operator's Redis.

Fields are topic filters, values ``publish``, ``subscribe``, ``all`` or JSON with ``action``, ``qos``
and ``retain``; they allow, unless the JSON says ``"permission": "deny"``.
"""

from __future__ import annotations

import json

from rookery.access.authz import reasons
from rookery.access.authz.request import VARIABLES, AuthzRequest
from rookery.access.authz.rows import finding_of_row
from rookery.access.authz.source import Finding, ServiceSource
from rookery.access.chain import OnError
from rookery.access.databases.redis import RedisService, RedisSettings
from rookery.clock import Clock

COMMANDS = frozenset({"HGETALL", "HMGET"})
_MEMBERS = ("permission", "action", "qos", "retain")


class RedisSource(ServiceSource[RedisService]):
    """Asks Redis for rules and matches them; denials first, for a hash has no order."""

    def __init__(
        self,
        settings: RedisSettings,
        clock: Clock,
        *,
        on_error: OnError = "ignore",
        name: str = "redis",
    ) -> None:
        service = RedisService(
            settings, clock, known=VARIABLES, commands=COMMANDS, where=f"{name} source"
        )
        super().__init__(name, service, clock, on_error)

    async def _question(self, request: AuthzRequest) -> Finding:
        record = await self.service.record(request.variable)
        rows = [_row(topic, value) for topic, value in record.items()]
        rows.sort(key=lambda row: row["permission"] != "deny")
        for number, row in enumerate(rows, start=1):
            finding = finding_of_row(self.name, number, row, request, self.log)
            if finding is not None:
                return finding._replace(reason=reasons.FIELD_FITS.format(topic=row["topic"]))
        return Finding("none", reasons.NO_FIELD_FITS.format(count=len(rows)))


def _row(topic: str, value: bytes) -> dict[str, object]:
    text = value.decode("utf-8", "replace")
    row: dict[str, object] = {"permission": "allow", "topic": topic}
    if not text.startswith("{"):
        return {**row, "action": text}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {**row, "action": "no JSON"}
    return row | {name: said[name] for name in _MEMBERS if name in said}
