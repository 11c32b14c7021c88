"""Makes the links that run those of the configuration, and watches how they do.

**Invariants.** The core gets the complete list, never a change of it: a crash between keeping a change
and applying it is mended by the next start. A node without links never tells the core about any. A file
that cannot be read refuses a change that names it; at the start it keeps that one link down, not the
node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.links.texts import STATES, Reason, file_reason, reason_of
from rookery.broker.rules.rates import Rate, Rates
from rookery.clock import Clock
from rookery.config import Config
from rookery.config.problems import InvalidConfigError
from rookery.ending import ended
from rookery.errors import UnavailableError
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.native.links import Link, LinkStatus
    from rookery.native.rows import EventRow

Values = dict[str, Any]


class LinkCore(Protocol):
    """The node, as far as links go."""

    def apply_links(
        self, cluster: str, node_name: str, incarnation: int, links: Iterable[Link]
    ) -> None: ...

    def links_status(self) -> list[LinkStatus]: ...

    def links_reset(self, name: str) -> None: ...

    def links_probe(self, link: Link) -> str | None: ...


class LinksPart:
    """The part of the node that links are."""

    def __init__(
        self,
        core: LinkCore,
        alarms: AlarmRegistry,
        clock: Clock,
        *,
        node_name: str,
        cluster: str,
        incarnation: int,
    ) -> None:
        self._core = core
        self._alarms = alarms
        self._node_name = node_name
        self._incarnation = incarnation
        self._links: dict[str, Values] = {}
        self._broken: dict[str, Words] = {}
        self._alarmed: set[str] = set()
        self._plain: set[str] = set()
        self._rates = Rates(self._matched, clock)
        self._is_known = False
        self._watching: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.cluster = cluster

    async def open(self, config: Config) -> None:
        """Begin with what is configured."""
        items: list[Values] = config["cluster.links"]
        if items:
            await self._put(items, changed=frozenset())

    async def close(self) -> None:
        """Watch no more; the links end with the node. May be called twice."""
        task, self._watching = self._watching, None
        if task is not None:
            await ended("links to other clusters", task)
        await self._rates.close()

    async def apply(self, old: Config, new: Config) -> None:
        """Make ``new`` hold.

        Raises:
            InvalidConfigError: a file that a changed link names cannot be used.
            ConfigError: the core refuses a value; nothing changes.
        """
        before, after = old["cluster.links"], new["cluster.links"]
        if before == after:
            return
        known = {item["name"]: item for item in before}
        changed = frozenset(
            item["name"] for item in after if known.get(item["name"]) != item and item["enable"]
        )
        await self._put(after, changed)

    async def _put(self, items: list[Values], changed: frozenset[str]) -> None:
        links, broken = await asyncio.to_thread(self._read, items, changed)
        if self._is_known or items:
            await self._tell(links)
        self._links = {item["name"]: item for item in items}
        self._broken = broken
        self._warn()
        is_wanted = any(item["enable"] for item in items)
        self._rates.watch(is_wanted=is_wanted)
        self._watch(is_wanted=is_wanted)

    async def _tell(self, links: list[Link]) -> None:
        who = (self.cluster, self._node_name, self._incarnation)
        await asyncio.to_thread(self._core.apply_links, *who, links)
        self._is_known = True

    def _read(
        self, items: list[Values], changed: frozenset[str]
    ) -> tuple[list[Link], dict[str, Words]]:
        # Loaded where there are links.
        from rookery.config.links import PATH, native_link  # noqa: PLC0415

        links: list[Link] = []
        broken: dict[str, Words] = {}
        for number, item in enumerate(items, start=1):
            try:
                links.append(native_link(item, self.cluster, (*PATH, str(number))))
            except InvalidConfigError as error:
                if item["name"] in changed:
                    raise
                broken[item["name"]] = Words(error.text("en"), error.text("zh"))
        return links, broken

    # -- looking ----------------------------------------------------------------------------

    async def statuses(self) -> dict[str, LinkStatus]:
        """What the core says, by the names of links."""
        if not self._is_known:
            return {}
        return {row.name: row for row in await asyncio.to_thread(self._core.links_status)}

    def reason(self, name: str, status: LinkStatus | None) -> Reason | None:
        """Why a link is not connected; none where nothing is known that would keep it."""
        item = self._links.get(name)
        if item is not None and not item["enable"]:
            return reason_of("disabled", name=name, own=self.cluster)
        if name in self._broken:
            return file_reason(self._broken[name])
        if status is None or not status.reason:
            return None
        return reason_of(status.reason, name=name, own=self.cluster)

    def rate(self, name: str) -> Rate:
        """How many messages per second the other side wants."""
        return self._rates.of(name)

    async def reset(self, name: str) -> None:
        """Let counters begin at zero again.

        Raises:
            NotFoundError: the core has no such link.
        """
        if name not in self._broken and self._is_known:
            await asyncio.to_thread(self._core.links_reset, name)
        self._rates.reset(name)

    async def probe(self, item: Values) -> Reason | None:
        """Connect once as that link would; why it does not work.

        Raises:
            InvalidConfigError: a file cannot be used.
        """
        # Loaded where there are links.
        from rookery.config.links import native_link  # noqa: PLC0415

        link = await asyncio.to_thread(native_link, item, self.cluster)
        if not self._is_known:
            await self._tell([])  # who this cluster is
        said = await asyncio.to_thread(self._core.links_probe, link)
        return None if said is None else reason_of(said, name=link.name, own=self.cluster)

    async def _matched(self) -> Mapping[str, int]:
        return {name: row.matched for name, row in (await self.statuses()).items()}

    # -- alarms -----------------------------------------------------------------------------

    def watch(self, _rows: list[EventRow]) -> None:
        """The core tells that it stands otherwise with some link."""
        self._news.set()

    def _watch(self, *, is_wanted: bool) -> None:
        self._news.set()
        if is_wanted and self._watching is None:
            self._watching = asyncio.get_running_loop().create_task(self._watch_always())
        elif not is_wanted:
            if self._watching is not None:
                self._watching.cancel()
                self._watching = None
            self._settle({})

    async def _watch_always(self) -> None:
        while await self._news.wait():
            self._news.clear()
            try:
                self._settle(await self.statuses())
            except UnavailableError:
                return  # the node is stopping

    def _settle(self, statuses: Mapping[str, LinkStatus]) -> None:
        """Have an alarm for each link that should work and does not."""
        down: set[str] = set()
        for name, item in self._links.items():
            status = statuses.get(name)
            reason = self.reason(name, status)
            if not item["enable"] or reason is None:
                continue
            state = "disconnected" if status is None else status.status
            alarm = f"cluster_link:{name}:{self._node_name}"
            down.add(alarm)
            details = {"link": name, "reason": reason.code, "status": state}
            said = message("link_down", link=name, state=STATES[state], reason=reason.words)
            if not self._alarms.activate(alarm, said, details):
                self._alarms.restate(alarm, said, details)
        for alarm in self._alarmed - down:
            self._alarms.deactivate(alarm)
        self._alarmed = down

    def _warn(self) -> None:
        """Have an alarm for each link that anybody on the way can read."""
        # Loaded where there are links.
        from rookery.config.links import unprotected  # noqa: PLC0415

        plain: set[str] = set()
        for name, item in self._links.items():
            host = unprotected(item)
            if host is None or not item["enable"]:
                continue
            alarm = f"cluster_link_plain:{name}"
            plain.add(alarm)
            said, details = (
                message("link_plain", link=name, address=host),
                {"link": name, "address": host},
            )
            if not self._alarms.activate(alarm, said, details):
                self._alarms.restate(alarm, said, details)
        for alarm in self._plain - plain:
            self._alarms.deactivate(alarm)
        self._plain = plain
