"""Everything about alarms, put together."""

from __future__ import annotations

from rookery.clock import Clock
from rookery.config.control import ControlConfig
from rookery.control.alarms.edges import EdgesSource
from rookery.control.alarms.evaluation import Clusters, Evaluation
from rookery.control.alarms.ingest import Ingest
from rookery.control.alarms.keeping import Keeping
from rookery.control.alarms.ledger import Ledger
from rookery.control.alarms.push.directory import Directory
from rookery.control.alarms.push.mails import Mails
from rookery.control.alarms.push.network import Targets
from rookery.control.alarms.push.outbox import Outbox
from rookery.control.alarms.push.queue import Pace, Queue
from rookery.control.alarms.push.sender import Sender
from rookery.control.alarms.push.service import ChannelService
from rookery.control.alarms.push.webhook import Caller
from rookery.control.alarms.service import AlarmService
from rookery.control.alarms.setting_service import AlarmSettingService
from rookery.control.alarms.telling import Telling
from rookery.control.audit.service import AuditTrail
from rookery.control.processes.once import Once
from rookery.control.processes.signals import Signals
from rookery.control.vault import Vault
from rookery.storage.database import Database

FORGET_S = 3600.0


class Alarms:
    """The services, and the part of a process that runs them."""

    def __init__(
        self,
        config: ControlConfig,
        clock: Clock,
        process_id: str,
        database: Database,
        audit: AuditTrail,
        once: Once,
        vault: Vault,
        signals: Signals,
    ) -> None:
        """Nothing runs yet."""
        values = config.values["alarms"]
        targets = Targets(values["targets"])
        self.telling = Telling(signals)
        directory = Directory(database, vault)
        outbox = Outbox()
        ledger = Ledger(outbox)
        interval_s = float(config.values["agents"]["report_interval"]) / 1000
        self.evaluation = Evaluation(database, clock, ledger, self.telling, Clusters())
        self.edges = Evaluation(
            database, clock, ledger, self.telling, EdgesSource(report_interval_s=interval_s)
        )
        self.sender = Sender(
            database,
            clock,
            Queue(database, process_id, Pace(first_ms=values["retry"])),
            directory,
            Mails(clock, targets),
            Caller(clock, targets),
            ledger,
            self.telling,
        )
        self.telling.wakes(self.sender.wake)
        self.alarms = AlarmService(database, clock, audit, ledger, self.telling)
        self.settings = AlarmSettingService(
            database, clock, audit, directory, self.telling, targets
        )
        self.channels = ChannelService(database, clock, audit, directory, self.sender, targets)
        self.ingest = Ingest(database, clock, ledger, self.telling)
        self.keeping = Keeping(database, clock, outbox, self.telling)
        interval_s = values["check_interval"] / 1000
        once.every("alarms", interval_s, self.evaluation.sweep)
        once.every("alarms of edge services", interval_s, self.edges.sweep)
        once.every("alarms.late", interval_s, self.keeping.push_late)
        once.every("alarms.history", FORGET_S, self.keeping.forget)

    async def open(self) -> None:
        """Begin on the running loop."""
        self.evaluation.open()
        self.edges.open()
        await self.sender.open()

    async def close(self) -> None:
        """May be called twice."""
        self.telling.close()
        await self.evaluation.close()
        await self.edges.close()
        await self.sender.close()
