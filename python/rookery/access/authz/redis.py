"""``type = redis``: rules of a client in a hash of the operator's Redis.

Fields are topic filters, values ``publish``, ``subscribe``, ``all`` or JSON with ``action``, ``qos``
and ``retain``; they allow, unless the JSON says ``"permission": "deny"``.
"""

from __future__ import annotations

import json
import logging

from rookery.access.authz.postgresql import finding_of_row
from rookery.access.authz.request import VARIABLES, AuthzRequest
from rookery.access.authz.source import Finding, ask
from rookery.access.chain import OnError
from rookery.access.databases.redis import RedisService, RedisSettings
from rookery.access.seldom import SeldomLog
from rookery.clock import Clock

_logger = logging.getLogger(__name__)

COMMANDS = frozenset({"HGETALL", "HMGET"})
_MEMBERS = ("permission", "action", "qos", "retain")


class RedisSource:
    """Asks Redis for rules and matches them; denials first, for a hash has no order."""

    def __init__(
        self,
        settings: RedisSettings,
        clock: Clock,
        *,
        on_error: OnError = "ignore",
        name: str = "redis",
    ) -> None:
        self.name = name
        self._on_error: OnError = on_error
        self._log = SeldomLog(_logger, clock)
        self.service = RedisService(
            settings, clock, known=VARIABLES, commands=COMMANDS, where=f"{name} source"
        )

    async def start(self) -> None:
        await self.service.start()

    async def stop(self) -> None:
        await self.service.stop()

    async def find(self, request: AuthzRequest) -> Finding:
        async def question() -> Finding:
            record = await self.service.record(request.variable)
            rows = [_row(topic, value) for topic, value in record.items()]
            rows.sort(key=lambda row: row["permission"] != "deny")
            for number, row in enumerate(rows, start=1):
                finding = finding_of_row(self.name, number, row, request, self._log)
                if finding is not None:
                    return finding._replace(reason=f"the field {row['topic']!r} fits")
            return Finding("none", f"none of {len(rows)} fields fits")

        return await ask(self.name, self._on_error, self._log, question)


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
