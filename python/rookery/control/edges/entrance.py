"""Opens an edge service's own pages for somebody, at a port of control from which everything passes the tunnel.

Who comes in there is known by the port's cookie and asked about at every request; the edge service is told as
what that one comes, so its pages ask for no password.
"""

from __future__ import annotations

from urllib.parse import urlencode

from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.doors.service import Doors
from rookery.control.doors.store import Target
from rookery.control.doors.visiting import ENTER
from rookery.control.edges import adopting, store, texts
from rookery.control.errors import MissingError, TakenError
from rookery.storage.database import Database


class EdgeEntrance:
    """Lets people in."""

    def __init__(self, database: Database, audit: AuditTrail, doors: Doors) -> None:
        self._database = database
        self._audit = audit
        self._doors = doors

    async def open(self, access: Access, service_id: str, near: str, page: str) -> str:
        """The address that opens the pages, once.

        Args:
            access: Who asks.
            service_id: Which.
            near: Scheme and host at which the browser reaches control.
            page: Which page; none: the first.

        Raises:
            MissingError: there is no such service in the project.
            DeniedError: it is no person who signed in.
            TakenError: the service has no agent, or there is no port for it.
        """
        async with self._database.read() as session:
            row = await store.service_of(session, access.project, service_id)
        if row is None:
            raise MissingError(texts.NO_SUCH_SERVICE)
        if row.agent_id is None:
            raise TakenError(texts.NO_AGENT, code="CONFLICT")
        way = await self._doors.let_in(access, Target("edge_id", service_id))
        async with self._database.write() as session:
            adopting.record(session, self._audit, access, "enterPages", row)
        place = f"#{page}" if page else ""
        return f"{near}:{way.port}{ENTER}?{urlencode({'code': way.code})}{place}"
