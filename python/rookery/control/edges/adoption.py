"""Everything about edge services, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.clock import Clock
from rookery.contracts.agent_edge import EDGE_PREFIX, EdgeReport
from rookery.control.alarms.push.network import Targets
from rookery.control.audit.service import AuditTrail
from rookery.control.clusters.intake import Intake
from rookery.control.doors.service import Doors
from rookery.control.edges.access import EdgeAccess
from rookery.control.edges.account import Accounts
from rookery.control.edges.direct.checks import DirectChecks
from rookery.control.edges.direct.service import DirectEdges
from rookery.control.edges.direct.store import DIRECT_PREFIX
from rookery.control.edges.direct.way import DirectWay
from rookery.control.edges.enrolment import Enrolment
from rookery.control.edges.entrance import EdgeEntrance
from rookery.control.edges.link import EdgeLink
from rookery.control.edges.overview import EdgeOverview
from rookery.control.edges.passage import TIMEOUT_S, EdgeAnswer, EdgePassages
from rookery.control.edges.services import EdgeServices
from rookery.control.edges.standing import EdgeStandings
from rookery.control.edges.ways import Ways
from rookery.control.processes.once import Once
from rookery.control.processes.signals import Signals
from rookery.control.relay.broker import Relay
from rookery.control.relay.door import Door
from rookery.control.relay.tunnel import Tunnel
from rookery.control.vault import Vault
from rookery.storage.database import Database

SWEEP_S = 3600.0


class Edges:
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
        *,
        report_interval_s: float,
        targets: Targets,
    ) -> None:
        """``targets`` says at which addresses edge services may be that have no agent."""
        self.report_interval_s = report_interval_s
        self.accounts = Accounts(database, clock, audit, vault)
        self.enrolment = Enrolment(database, clock, audit, self.accounts)
        self.standings = EdgeStandings(database, process_id)
        self.intake: Intake[EdgeReport] = Intake(self.standings.write, clock)
        interval: dict[str, Any] = {"report_interval_s": report_interval_s}
        self.link = EdgeLink(database, clock, self.intake, self.enrolment, signals, **interval)
        self.access = EdgeAccess(database, clock, audit, self._tell, **interval)
        self.services = EdgeServices(database, clock, audit, self._tell, **interval)
        self.way = DirectWay(database, clock, vault, targets)
        self._checks = DirectChecks(database, self.way, self.intake)
        self.direct = DirectEdges(
            database, clock, audit, vault, self.way, self._checks.soon, targets
        )
        self.overview = EdgeOverview(database, clock, **interval)
        self._database = database
        self._audit = audit
        self._relay: Relay
        self.ways: Ways
        self.passages: EdgePassages
        self.entrance: EdgeEntrance
        once.every("removed edge agents", SWEEP_S, self.link.forget_removed)
        once.every("direct edges", report_interval_s, self._checks.look)

    def use(self, relay: Relay, tunnel: Tunnel, door: Door) -> None:
        """Say through what they are reached; before the relay starts."""
        self._relay = relay
        self.link.use(relay, tunnel, door)
        self.ways = Ways(tunnel, self.way)
        self.passages = EdgePassages(self._database, self._audit, self.ways)

    def use_doors(self, doors: Doors) -> None:
        """Say where their pages are shown."""
        self.entrance = EdgeEntrance(self._database, self._audit, doors)

    @property
    def connected_count(self) -> int:
        """Edge services that are connected to this process."""
        return sum(name.startswith(EDGE_PREFIX) for name in self._relay.connected_ids)

    async def ask(
        self,
        service_id: str,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Sequence[tuple[str, str]] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> EdgeAnswer:
        """Ask an edge service as an administrator, for control's own work.

        Raises:
            RookeryError: as :meth:`EdgePassages.ask`.
        """
        return await self.passages.ask(
            service_id, method, path, body=body, headers=headers, timeout_s=timeout_s
        )

    def open(self) -> None:
        """Begin on the running loop; before the relay lets agents in."""
        self.intake.start()

    async def close(self) -> None:
        """Write what they said. May be called twice."""
        await self._checks.close()
        await self.link.stop()
        await self.intake.stop()
        await self.way.close()

    def _tell(self, agent_id: str) -> None:
        """What was decided about somebody changed in the database."""
        if agent_id.startswith(DIRECT_PREFIX):
            self.way.forget(agent_id)
        else:
            self.link.tell(agent_id)
