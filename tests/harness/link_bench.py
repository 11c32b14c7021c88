"""A core that has links and keeps what it is told; it connects to nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.audit import AuditLog
from rookery.broker.cluster.alone import Alone
from rookery.broker.links.part import LinksPart
from rookery.broker.links.service import LinkService
from rookery.broker.nodes import Nodes
from rookery.broker.settings import NodeSettings
from rookery.clock import ManualClock
from rookery.config import load
from rookery.errors import NotFoundError
from rookery.native.links import Link, LinkStatus
from rookery.observability.machine import Machine
from rookery.words import Words

NODE = "rookery@127.0.0.1"


class FakeCore:
    def __init__(self) -> None:
        self.links: list[Link] = []
        self.applied = 0
        self.said: dict[str, tuple[str, str | None]] = {}
        self.matched: dict[str, int] = {}
        self.probe: str | None = None

    def apply_links(
        self, cluster: str, node_name: str, incarnation: int, links: Iterable[Link]
    ) -> None:
        assert (cluster, node_name) == ("east", NODE)
        assert incarnation == 7
        self.links = list(links)
        self.applied += 1

    def links_status(self) -> list[LinkStatus]:
        return [self._status(link) for link in self.links]

    def _status(self, link: Link) -> LinkStatus:
        status, reason = self.said.get(link.name, ("connected", None))
        matched = self.matched.get(link.name, 3)
        figures = (2, 4, 1, matched, matched, *(0,) * 5, 5, 6, 7)
        return LinkStatus(link.name, status, reason, 1000, "online", "w:1", *figures)  # type: ignore[arg-type]

    def links_reset(self, name: str) -> None:
        if all(link.name != name for link in self.links):
            raise NotFoundError(f"no link {name}")
        self.matched[name] = 0

    def links_probe(self, link: Link) -> str | None:
        self.probed = link
        return self.probe


@dataclass
class Bench:
    """A service with all that belongs to it."""

    service: LinkService
    part: LinksPart
    core: FakeCore
    settings: NodeSettings
    alarms: AlarmRegistry
    clock: ManualClock
    names: list[str] = field(default_factory=list)

    def alarmed(self) -> dict[str, str]:
        return {alarm.name: alarm.message for alarm in self.alarms.active()}


async def bench_of(tmp_path: Path, text: str = "") -> Bench:
    file = tmp_path / "r.conf"
    file.write_text(f"cluster.name = east\n{text}")
    clock = ManualClock()
    config = load(file, tmp_path / "data", environ={})
    settings = NodeSettings(config, AuditLog(tmp_path, clock), clock)
    alarms = AlarmRegistry(
        clock, actions=(), size_limit=100, validity_period_s=100, publish=lambda *_: None
    )
    core = FakeCore()
    part = LinksPart(core, alarms, clock, node_name=NODE, cluster="east", incarnation=7)
    nodes = Nodes(
        name=NODE,
        cluster="east",
        version="0",
        data_dir=tmp_path,
        clock=clock,
        machine=Machine(),
        started_at_ms=0,
        stats=dict,
        metrics=dict,
        members=Alone(NODE, "east", Words("", ""), "0"),
    )
    service = LinkService(part, settings, nodes)
    await part.open(config)
    settings.open((part,))
    return Bench(service, part, core, settings, alarms, clock)
