"""Everything about distribution, put together."""

from __future__ import annotations

from rookery.clock import Clock
from rookery.control.audit.service import AuditTrail
from rookery.control.distribution.deliveries import Deliveries
from rookery.control.distribution.looking import Looking
from rookery.control.distribution.sealed import Sealed
from rookery.control.distribution.templates import Templates
from rookery.control.distribution.work import Work
from rookery.control.edges.adoption import Edges
from rookery.control.processes.once import Once
from rookery.control.processes.signals import Signals
from rookery.control.vault import Vault
from rookery.storage.database import Database


class Distribution:
    """The services, and the part of a process that runs them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        process_id: str,
        audit: AuditTrail,
        once: Once,
        signals: Signals,
        vault: Vault,
        edges: Edges,
    ) -> None:
        sealed = Sealed(vault)
        core = (database, clock)
        self.templates = Templates(*core, audit, sealed)
        self.work = Work(*core, process_id, once, signals, sealed, edges.ask)
        self.deliveries = Deliveries(*core, audit, sealed, self.work.begun)
        self.looking = Looking(*core, sealed, edges.ask, report_interval_s=edges.report_interval_s)
        edges.link.tells_ready(self.work.ready)

    async def open(self) -> None:
        """Ready; what an earlier run left under way goes on."""
        await self.work.open()

    async def close(self) -> None:
        """Leave what is under way to the next process. May be called twice."""
        await self.work.close()
