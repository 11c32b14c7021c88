"""Configuration that the control plane delivered: applied whole or not at all, told again, taken back.

A delivery says what nodes shall be, not what shall change, so that one which comes twice changes nothing. Nodes
that an earlier version of the same template brought and this one does not have go. What was there before is
kept, secrets in plain as the configuration itself, in the transaction that changes it.

**Bounds.** :data:`TEMPLATES_MAX` templates; of each the nodes that it replaced last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rookery.edge.core import Core, whole
from rookery.edge.differences import Difference, differences, is_any
from rookery.edge.errors import (
    DELIVERY_MAX,
    DELIVERY_NOT_LAST,
    DELIVERY_NOTHING_BEFORE,
    EdgeError,
)
from rookery.edge.model import NodeKind, Snapshot, Subscription
from rookery.edge.replacing import checked_state, merged, put
from rookery.edge.state import Key, State
from rookery.edge.transfer.configuration import PARTS, exported, imported

DOCUMENT, BEFORE = "deliveries", "deliveries.before."
"""Names of documents in the store; the second with the template."""
TEMPLATES_MAX = 50

Parts = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be delivered.

    Attributes:
        delivery: Told apart by it: the same one again changes nothing.
    """

    template: str
    name: str
    version: int
    delivery: str
    document: Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What was delivered of one template last.

    Attributes:
        version: 0: it was taken back, and nothing of it is here.
        nodes: That it brought.
        subscriptions: Of other applications that it brought: application, driver, group.
        digest: Of what it made; the configuration is another one when that is.
        has_before: Whether it can be taken back.
    """

    template: str
    name: str
    version: int
    delivery: str
    applied_at_ms: int
    nodes: tuple[str, ...] = ()
    subscriptions: tuple[Key, ...] = ()
    digest: str = ""
    has_before: bool = False

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Delivered:
        keys = tuple((str(app), str(driver), str(group)) for app, driver, group in
                     value["subscriptions"])  # fmt: skip
        return cls(**{**value, "nodes": tuple(value["nodes"]), "subscriptions": keys})


@dataclass(frozen=True, slots=True)
class Applied:
    """How a delivery went: what is here, and whether it was so before."""

    delivered: Delivered
    is_new: bool


class Deliveries:
    """Use cases of the control plane."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[str, Delivered] | None = None
        # The objects that a digest was made of: they are replaced, never changed.
        self._digests: dict[str, tuple[tuple[Any, ...], str]] = {}
        self._changed: Callable[[], None] = lambda: None

    def tells(self, changed: Callable[[], None]) -> None:
        """Call ``changed`` when something was delivered or taken back."""
        self._changed = changed

    def list(self) -> Sequence[tuple[Delivered, bool]]:
        """What was delivered, by template, and whether somebody changed it since."""
        return [(one, self._is_changed(one)) for one in self._all().values() if one.version]

    def check(self, template: str, document: Parts) -> Sequence[Difference]:
        """What a delivery would change; nothing is changed.

        Raises:
            EdgeError: it cannot be so.
        """
        before = self._all().get(template)
        self._refuse_one_more(template)
        names, _, made = self._made(document, before)
        return differences(self._core.state, made, _touched(before, names))

    @whole
    async def apply(self, order: Order) -> Applied:
        """Have it so.

        Raises:
            EdgeError: it cannot be; nothing was changed.
            UnavailableError: the disk does not take it; nothing was changed.
        """
        core = self._core
        async with core.changing:
            before = self._all().get(order.template)
            if before is not None and before.delivery == order.delivery:
                return Applied(before, is_new=False)
            self._refuse_one_more(order.template)
            names, keys, made = self._made(order.document, before)
            touched = _touched(before, names)
            delivered = Delivered(
                template=order.template,
                name=order.name,
                version=order.version,
                delivery=order.delivery,
                applied_at_ms=core.clock.now_ms(),
                nodes=names,
                subscriptions=keys,
                digest=self._digest(made, names, keys),
                has_before=True,
            )
            kept: dict[str, Any] = {}
            if is_any(differences(core.state, made, touched)) or not (before and before.has_before):
                kept = {BEFORE + order.template: self._kept(before, touched, keys)}
            # One that changes nothing leaves what an earlier one replaced to be taken back.
            await self._put(made, delivered, kept)
            return Applied(delivered, is_new=True)

    @whole
    async def roll_back(self, template: str, delivery: str, of: str) -> Applied:
        """Put back what was there before the delivery ``of``.

        Raises:
            EdgeError: another one came later, or what was there is not kept or cannot be any more.
            UnavailableError: the disk does not take it; nothing was changed.
        """
        core = self._core
        async with core.changing:
            now = self._all().get(template)
            if now is not None and now.delivery == delivery:
                return Applied(now, is_new=False)
            if now is None or now.delivery != of:
                raise EdgeError(DELIVERY_NOT_LAST)
            kept = core.store.document(BEFORE + template) if now.has_before else None
            if kept is None:
                raise EdgeError(DELIVERY_NOTHING_BEFORE)
            made = self._made_back(kept["document"], kept["touched"], now)
            found = replace(now, version=0, nodes=(), subscriptions=(), digest="")
            if kept["delivered"] is not None:
                found = Delivered.from_json(kept["delivered"])
            found = replace(
                found,
                delivery=delivery,
                applied_at_ms=core.clock.now_ms(),
                has_before=False,
            )
            await self._put(made, found, {BEFORE + template: None})
            return Applied(found, is_new=True)

    # -- what it would be ------------------------------------------------------------------

    def _made(
        self, document: Parts, before: Delivered | None
    ) -> tuple[tuple[str, ...], tuple[Key, ...], State]:
        """Nodes and subscriptions of a document, and the whole configuration with it."""
        core = self._core
        parts = {part: document.get(part) or () for part in PARTS}
        wanted = imported(parts, core.state.snapshot(), self._plugins())
        names = tuple(node.name for node in wanted.nodes)
        keys = tuple((one.app, one.driver, one.group) for one in wanted.subscriptions)
        known = before or Delivered(template="", name="", version=0, delivery="", applied_at_ms=0)
        gone = set(known.nodes) - set(names)
        lost = set(known.subscriptions) - set(keys)
        result = merged(core, wanted, names, gone)
        kept = tuple(
            one for one in result.subscriptions if (one.app, one.driver, one.group) not in lost
        )
        return names, keys, checked_state(core, replace(result, subscriptions=kept))

    def _made_back(self, document: Parts, touched: Collection[str], now: Delivered) -> State:
        """The whole configuration with what was there in the place of what came."""
        core = self._core
        present = core.state.snapshot()
        wanted = imported({**document, "subscriptions": ()}, present, self._plugins())
        names = {node.name for node in wanted.nodes}
        mine = {*touched, *now.nodes}
        result = merged(core, wanted, names, mine - names)
        found = {
            (one.app, one.driver, one.group): one
            for one in result.subscriptions
            if one.app not in mine and (one.app, one.driver, one.group) not in now.subscriptions
        }
        apps = {node.name for node in result.nodes if node.kind is NodeKind.APP}
        for row in document["subscriptions"]:
            one = Subscription(**row)
            # An application or a group that somebody deleted meanwhile does not come back for this.
            groups = (group.name for group in result.groups.get(one.driver, ()))
            if one.app in apps and one.group in groups:
                found.setdefault((one.app, one.driver, one.group), one)
        return checked_state(core, replace(result, subscriptions=tuple(found.values())))

    def _kept(
        self, before: Delivered | None, touched: Collection[str], keys: Iterable[Key]
    ) -> dict[str, Any]:
        """What is there of the nodes that a delivery touches, to be put back."""
        present = self._core.state.snapshot()
        given = set(keys)
        subscriptions = tuple(
            one
            for one in present.subscriptions
            if one.app in touched
            or one.driver in touched
            or (one.app, one.driver, one.group) in given
        )
        part = _part(present, touched, subscriptions)
        return {
            "delivered": None if before is None or not before.version else asdict(before),
            "touched": sorted(touched),
            "document": exported(part, self._plugins(), with_secrets=True),
        }

    def _plugins(self) -> dict[str, Any]:
        return {plugin.name: plugin for plugin in self._core.plugins.list()}

    # -- what is known ---------------------------------------------------------------------

    def _all(self) -> dict[str, Delivered]:
        if self._known is None:
            rows = self._core.store.document(DOCUMENT) or []
            self._known = {row["template"]: Delivered.from_json(row) for row in rows}
        return self._known

    def _refuse_one_more(self, template: str) -> None:
        known = self._all()
        here = [one for one in known.values() if one.version and one.template != template]
        if len(here) >= TEMPLATES_MAX:
            raise EdgeError(DELIVERY_MAX, most=TEMPLATES_MAX)

    async def _put(self, made: State, delivered: Delivered, kept: Mapping[str, Any]) -> None:
        known = {**self._all(), delivered.template: delivered}
        taken_back = [one for one in known.values() if not one.version]
        # Those that were taken back are known for a while, so that who asks twice is answered.
        for one in sorted(taken_back, key=lambda one: one.applied_at_ms)[:-TEMPLATES_MAX]:
            del known[one.template]
        rows = [asdict(one) for one in known.values()]
        await put(self._core, made, {DOCUMENT: rows, **kept})
        self._known = known
        self._changed()

    def _is_changed(self, one: Delivered) -> bool:
        state = self._core.state
        objects = (
            *(state.nodes.get(name) for name in one.nodes),
            *(group for name in one.nodes for group in state.groups.get(name, {}).values()),
            *_subscribed(state, one.nodes, one.subscriptions),
        )
        seen, digest = self._digests.get(one.template, ((), ""))
        if len(seen) != len(objects) or any(
            now is not then for now, then in zip(objects, seen, strict=True)
        ):
            digest = self._digest(state, one.nodes, one.subscriptions)
            self._digests[one.template] = objects, digest
        return digest != one.digest

    def _digest(self, state: State, nodes: Collection[str], keys: Collection[Key]) -> str:
        """Of what is there of these nodes and subscriptions, in whatever order."""
        part = _part(state.snapshot(), nodes, tuple(_subscribed(state, nodes, keys)))
        document = exported(part, self._plugins(), with_secrets=True)
        for row in document["tags"]:
            row["tags"].sort(key=lambda tag: tag["name"])
        for rows in document.values():
            rows.sort(key=lambda row: json.dumps(row, sort_keys=True))
        text = json.dumps(document, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _touched(before: Delivered | None, names: Iterable[str]) -> set[str]:
    return {*names, *(before.nodes if before is not None else ())}


def _subscribed(
    state: State, nodes: Collection[str], keys: Collection[Key]
) -> Sequence[Subscription]:
    known = set(keys)
    return [one for key, one in state.subscriptions.items() if one.app in nodes or key in known]


def _part(
    snapshot: Snapshot, names: Collection[str], subscriptions: tuple[Subscription, ...]
) -> Snapshot:
    nodes = tuple(node for node in snapshot.nodes if node.name in names)
    groups = {name: groups for name, groups in snapshot.groups.items() if name in names}
    return Snapshot(nodes=nodes, groups=groups, subscriptions=subscriptions)
