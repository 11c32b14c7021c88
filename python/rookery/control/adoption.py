"""Everything about adopted clusters, put together: the relay, its agents, what people do with them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.control.agents.downloads import AgentFile
from rookery.control.agents.instructions import Source
from rookery.control.agents.service import AgentService
from rookery.control.audit.service import AuditTrail
from rookery.control.certificates import Certificates
from rookery.control.clusters.changes import Changes
from rookery.control.clusters.entrance import Entrance
from rookery.control.clusters.intake import Intake
from rookery.control.clusters.passage import Passages
from rookery.control.clusters.service import ClusterService
from rookery.control.clusters.standing import Standing
from rookery.control.processes.once import Once
from rookery.control.relay.broker import Relay, RelaySettings
from rookery.control.relay.tunnel import Tunnel
from rookery.control.settings import store as settings
from rookery.control.settings.names import ACCESS_ADDRESS
from rookery.storage.database import Database

SWEEP_S = 3600.0
SETTLE_S_MAX = 5.0
"""How late silence is noticed, at most."""


class Adoption:
    """The services, and the part of a process that runs them."""

    def __init__(
        self,
        config: ControlConfig,
        clock: Clock,
        process_id: str,
        database: Database,
        certificates: Certificates,
        audit: AuditTrail,
        once: Once,
        *,
        agent_file: AgentFile,
    ) -> None:
        """Nothing is open yet. ``agent_file`` is served for download."""
        self._database = database
        self._certificates = certificates
        self.report_interval_s = float(config.values["agents"]["report_interval"]) / 1000
        self.file = agent_file
        self.changes = Changes()
        standing = Standing(database, clock, self.changes, process_id)
        self.intake = Intake(standing.write, clock)
        self.agents = AgentService(database, clock, audit, standing, self.changes, self.intake)
        self.relay = Relay(_relay_settings(config, certificates), self.agents, clock)
        self.tunnel = Tunnel(self.relay)
        self.agents.use(self.relay, self.tunnel)
        self.clusters = ClusterService(
            database,
            clock,
            audit,
            standing,
            self.changes,
            self.agents,
            report_interval_s=self.report_interval_s,
        )
        self.entrance = Entrance(database, audit, self.tunnel)
        self.passages = Passages(database, audit, self.tunnel)
        once.every("clusters", min(SETTLE_S_MAX, self.report_interval_s), standing.settle_due)
        once.every("tombstones", SWEEP_S, self.agents.forget_long_gone)

    async def open(self) -> None:
        """Let agents in.

        Raises:
            StartError: a port is taken, or the certificate cannot be used.
        """
        self.intake.start()
        await self.relay.start()

    async def close(self) -> None:
        """Tell agents goodbye and write what they said. May be called twice."""
        self.changes.close()
        await self.relay.stop()
        await self.agents.stop()
        await self.intake.stop()

    # -- where things are, seen by agents ------------------------------------------------------

    async def address(self, host: str) -> str:
        """Where agents reach this control plane: as was set, else as the caller reached it."""
        async with self._database.read() as session:
            found = await settings.value_of(session, ACCESS_ADDRESS)
        url = str((found or {}).get("url") or "")
        return url or f"https://{host}"

    async def relay_addresses(self, host: str) -> Sequence[str]:
        """Where they reach the relay, best first."""
        name = urlsplit(await self.address(host)).hostname or "127.0.0.1"
        shown = f"[{name}]" if ":" in name else name
        schemes = (("tls", "mqtts"), ("tcp", "mqtt"))
        ports = self.relay.ports
        return [f"{scheme}://{shown}:{ports[kind]}" for kind, scheme in schemes if kind in ports]

    async def source(self, entry: str, host: str) -> Source:
        """What the set-up instructions of an entry name."""
        url = await self.address(host)
        return Source(url, self._certificates.ca_sha256, await self.file.sha256(), entry)


def _relay_settings(config: ControlConfig, certificates: Certificates) -> RelaySettings:
    values = config.values["relay"]
    return RelaySettings(
        tcp=_bind(values["tcp"]),
        tls=_bind(values["tls"]),
        certificate=certificates.certificate_file,
        key=certificates.key_file,
        workers=values["workers"],
    )


def _bind(address: object) -> str | None:
    # None: closed by 0.
    return None if address is None else str(address)
