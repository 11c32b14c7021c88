"""Everything about adopted clusters, put together: the relay, its agents, what people do with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from rookery.access.authority import now_utc
from rookery.access.own_certificates import Certificates
from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.contracts.agent_v1 import Channel, LogAck
from rookery.control.agents.downloads import AgentFile
from rookery.control.agents.instructions import Source
from rookery.control.agents.service import AgentService
from rookery.control.alarms.push.network import Targets
from rookery.control.audit.service import AuditTrail
from rookery.control.clusters.changes import Changes
from rookery.control.clusters.entrance import Entrance
from rookery.control.clusters.intake import Intake
from rookery.control.clusters.passage import Passages
from rookery.control.clusters.service import ClusterService
from rookery.control.clusters.standing import Standing
from rookery.control.commands.dispatcher import Dispatcher
from rookery.control.commands.service import Commands
from rookery.control.distribution.distribution import Distribution
from rookery.control.doors.ports import Ports
from rookery.control.doors.service import Doors
from rookery.control.doors.visiting import Visitors
from rookery.control.edges.adoption import Edges
from rookery.control.edges.hub import EveryAgent
from rookery.control.processes.once import Once
from rookery.control.processes.signals import Signals
from rookery.control.quota.keeping import Keeping
from rookery.control.quota.service import QuotaService
from rookery.control.relay.broker import Relay, RelaySettings
from rookery.control.relay.files import RelayFiles, files_of
from rookery.control.relay.neighbours import Neighbours
from rookery.control.relay.self_check import RelayLook
from rookery.control.relay.tunnel import Tunnel
from rookery.control.server_certificate import ServerCertificate
from rookery.control.settings import store as settings
from rookery.control.settings.names import ACCESS_ADDRESS
from rookery.control.vault import Vault
from rookery.storage.database import Database
from rookery.web.addresses import parts_of

COMMANDS = "commands"
"""What processes tell each other of: an agent that something is to be sent to."""
CHANGED = "clusters"
"""What processes tell each other of: a project and one of its clusters."""
SWEEP_S = 3600.0
COMMANDS_S = 5.0
"""How late it is noticed that the time of a command is over."""
LOG_ANSWER_S = 60
"""After that an agent has sent the logs again."""
PORT_MAX = 65_535
SETTLE_S_MAX = 2.0
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
        signals: Signals,
        server_certificate: ServerCertificate,
        vault: Vault,
        *,
        agent_file: AgentFile,
    ) -> None:
        """Nothing is open yet. ``agent_file`` is served for download."""
        self._database = database
        self._certificates = certificates
        self.report_interval_s = float(config.values["agents"]["report_interval"]) / 1000
        self._advertised = tuple(config.values["relay"]["advertised"])
        self.file = agent_file
        self.changes = Changes(partial(signals.tell, CHANGED))
        signals.on(CHANGED, self.changes.heard)
        signals.on_gap(self.changes.let_go)
        self.standing = standing = Standing(database, clock, self.changes, process_id)
        self.intake = Intake(standing.write, clock)
        self.agents = AgentService(
            database, clock, audit, standing, self.changes, self.intake, signals
        )
        core = (database, clock, process_id, audit, once, signals, vault)
        targets = Targets(config.values["edges"]["targets"])
        self.edges = Edges(*core, report_interval_s=self.report_interval_s, targets=targets)
        self.distribution = Distribution(*core, self.edges)
        everyone = EveryAgent(self.agents, self.edges.link)
        self.relay_files = files_of(config, certificates)
        self.relay = Relay(_relay_settings(config, self.relay_files), everyone, clock)
        self.neighbours = Neighbours(config, database, clock, process_id, self.relay)
        self.reach = self.neighbours.reach
        self.tunnel = Tunnel(self.relay, self.reach.way)
        self.neighbours.use(self.tunnel)
        self.agents.use(self.relay, self.tunnel, self.neighbours.door)
        self.edges.use(self.relay, self.tunnel, self.neighbours.door)
        self.clusters = ClusterService(
            database, clock, audit, standing, self.changes, self.agents,
            report_interval_s=self.report_interval_s,
        )  # fmt: skip
        self.commands = Commands(database, clock, audit, self.changes)
        self.dispatcher = Dispatcher(self.commands, database, clock, self.relay)
        signals.on(COMMANDS, self.dispatcher.wake)
        self.commands.use(self._wake, self.relay.is_connected)
        self._signals = signals
        self.agents.use_commands(self.dispatcher)
        self.clusters.tells_removed(self.commands.removed)
        self.quota = QuotaService(database, clock, audit, self.changes, self.commands)
        keeping = Keeping(database, clock, audit, self.changes, self.commands, self.quota)
        self.commands.tells(keeping.finished)
        self.intake.tells(keeping.look)
        self.doors = Doors(database, clock, signals, vault, _range(config.values["doors"]["ports"]))
        self._ports = Ports(
            config.host,
            server_certificate.context,
            Visitors(self.doors, self.edges.ways).answer,
        )
        self.doors.use(self._ports.open)
        self.edges.use_doors(self.doors)
        self.entrance = Entrance(database, audit, self.tunnel, self.doors)
        self.passages = Passages(database, audit, self.tunnel)
        self._settle(once, standing)

    def _settle(self, once: Once, standing: Standing) -> None:
        """What is due by the time that passes."""
        once.every("clusters", min(SETTLE_S_MAX, self.report_interval_s), standing.settle_due)
        once.every("tombstones", SWEEP_S, self.agents.forget_long_gone)
        once.every("commands", COMMANDS_S, self.commands.settle)
        once.every("old commands", SWEEP_S, self.commands.forget_old)

    @property
    def relay_look(self) -> RelayLook:
        """How the relay is looked at, as agents see it."""
        return RelayLook(self.relay_files)

    async def open(self) -> None:
        """Let agents in.

        Raises:
            StartError: a port is taken, or the certificate cannot be used.
        """
        if self.relay_files.is_used:
            await asyncio.to_thread(self.relay_files.check, now_utc())
        self.intake.start()
        self.edges.open()
        await self.dispatcher.open()
        await self.relay.start()
        await self.doors.open_all()

    async def close(self) -> None:
        """Tell agents goodbye and write what they said. May be called twice."""
        self.changes.close()
        await self._ports.close()
        await self.neighbours.close()
        await self.relay.stop()
        await self.agents.stop()
        await self.edges.close()
        await self.dispatcher.close()
        await self.intake.stop()

    def _wake(self, agent_id: str) -> None:
        """A command is to be sent: by the process that the agent is connected to, whichever that is."""
        self.dispatcher.wake(agent_id)
        self._signals.tell(COMMANDS, agent_id)

    async def answer_logs(self, agent_id: str, answer: LogAck) -> None:
        """Say to an agent what became of its logs."""
        await self.relay.send(agent_id, Channel.LOG_ACK, answer, expires_s=LOG_ANSWER_S)

    # -- where things are, seen by agents ------------------------------------------------------

    async def address(self, host: str) -> str:
        """Where agents reach this control plane: as was set, else as the caller reached it."""
        async with self._database.read() as session:
            found = await settings.value_of(session, ACCESS_ADDRESS)
        url = str((found or {}).get("url") or "")
        return url or f"https://{host}"

    async def relay_addresses(self, host: str) -> Sequence[str]:
        """Where they reach the relay, best first."""
        if self._advertised:
            return self._advertised
        name = parts_of(await self.address(host)).hostname or "127.0.0.1"
        shown = f"[{name}]" if ":" in name else name
        schemes = (("tls", "mqtts"), ("tcp", "mqtt"))
        ports = self.relay.ports
        return [f"{scheme}://{shown}:{ports[kind]}" for kind, scheme in schemes if kind in ports]

    async def near(self, scheme: str, host: str, *, is_direct: bool) -> str:
        """Scheme and host name at which a browser reaches this control plane, without a port.

        On this machine as it came; from elsewhere with the scheme of the access address, for what
        stands between may speak TLS.
        """
        name = parts_of(f"//{host}").hostname or "127.0.0.1"
        if not is_direct:
            scheme = parts_of(await self.address(host)).scheme
        return f"{scheme}://[{name}]" if ":" in name else f"{scheme}://{name}"

    async def source(self, entry: str, host: str) -> Source:
        """What the set-up instructions of an entry name."""
        url = await self.address(host)
        return Source(url, self._certificates.ca_sha256, await self.file.sha256(), entry)


def _relay_settings(config: ControlConfig, files: RelayFiles) -> RelaySettings:
    values = config.values["relay"]
    return RelaySettings(
        tcp=_bind(values["tcp"]),
        tls=_bind(values["tls"]) if values["ssl_options"]["enable"] else None,
        ssl_options=files.options(),
        workers=values["workers"],
        report_interval_s=config.values["agents"]["report_interval"] / 1000,
    )


def _bind(address: object) -> str | None:
    # None: closed by 0.
    return None if address is None else str(address)


def _range(ports: str) -> range:
    first, _, last = ports.partition("-")
    return range(int(first), min(int(last), PORT_MAX) + 1) if first else range(0)
