"""Sorts a batch of events: deliveries to subscriptions, questions and notices to the peer that
decides, everything to those who watch.
"""

from __future__ import annotations

import contextlib
import logging
import weakref
from collections.abc import Callable, Mapping

from rookery.engine.dispatch import HookPeer
from rookery.engine.subscription import Subscription
from rookery.errors import UnavailableError
from rookery.native.models import Message
from rookery.native.node import Node
from rookery.native.rows import EventRow

_core_log = logging.getLogger("rookery.core")

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

Watcher = Callable[[list[EventRow]], None]
"""Sees what happened: every event of a batch that is neither a delivery nor a question."""


class EventRouter:
    """Owns the subscriptions of this process; lives on one asyncio loop."""

    def __init__(
        self,
        node: Node,
        peer: HookPeer,
        watchers: tuple[Watcher, ...] = (),
        observers: Mapping[str, Watcher] | None = None,
    ) -> None:
        """``observers`` take events of one kind that nobody else is told, by its name."""
        self._node = node
        self._peer = peer
        self._watchers = watchers
        self._observers = dict(observers or {})
        # A subscription that nobody holds any more has nobody to deliver to.
        self._by_slot: weakref.WeakValueDictionary[int, Subscription] = (
            weakref.WeakValueDictionary()
        )

    def handle(self, batch: list[EventRow]) -> None:
        """Take what the reader drained."""
        questions: list[EventRow] = []
        happened: list[EventRow] = []
        observed: dict[str, list[EventRow]] = {}
        for row in batch:
            kind = row[0]
            if kind == "delivery":
                self._deliver(row)
            elif kind == "ask":
                questions.append(row)
            elif kind in self._observers:
                observed.setdefault(kind, []).append(row)
            else:
                happened.append(row)
                if kind == "log":
                    _core_log.log(_LEVELS.get(row[1], logging.INFO), "%s", row[2])
        # Clients wait for answers, nobody waits for notices.
        if questions:
            self._peer.ask(questions)
        if happened:
            self._peer.tell(happened)
            for watch in self._watchers:
                watch(happened)
        for kind, rows in observed.items():
            self._observers[kind](rows)

    def add(self, subscription: Subscription) -> int:
        slot = self._node.subscribe(subscription.topic_filter, subscription.qos)
        self._by_slot[slot] = subscription
        return slot

    def remove(self, slot: int) -> None:
        self._by_slot.pop(slot, None)
        with contextlib.suppress(UnavailableError):  # the node is stopping: nothing to remove
            self._node.unsubscribe(slot)

    def end(self) -> None:
        """The node is gone: readers get what they have, then the end."""
        subscriptions = list(self._by_slot.values())
        self._by_slot.clear()
        for subscription in subscriptions:
            subscription.end()

    def _deliver(self, row: EventRow) -> None:
        subscription = self._by_slot.get(row[1])
        if subscription is not None:
            subscription.put(Message.from_row(row[2], row[3]))
