"""Carries out what the control plane wants changed at the cluster: each command once.

Commands come in the link's thread and are carried out by the agent's own, before it reports, so
that a report which follows a result shows the effect. Before it begins a command is written into
the journal; one that was begun when the agent died is begun again, and every action first looks
whether there is anything left to do.

**Bounds.** :data:`WAITING_MAX` commands wait, :data:`ROUND_S` seconds are spent on them between
two reports. What is turned away is sent again.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rookery.agent.failures import CallError
from rookery.agent.journal import BEGUN, Entry, Journal
from rookery.clock import Clock
from rookery.contracts.agent_v1 import Command, CommandState

log = logging.getLogger(__name__)

WAITING_MAX = 128
ROUND_S = 10.0
TEXT_CHARS_MAX = 500
# Of an answer of the cluster: it may be otherwise in a while.
PASSING = frozenset({401, 408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Done:
    """What came of an action: a word for programs, and what was found or set."""

    code: str = "DONE"
    fields: Mapping[str, str] = field(default_factory=dict)


class ImpossibleError(CallError):
    """It will not go, however often it is tried."""


Action = Callable[[Mapping[str, str]], Done]
"""Does it, unless it is done already; raises :class:`CallError`."""


class Commands:
    """Those of one agent."""

    def __init__(
        self,
        journal: Journal,
        actions: Mapping[str, Action],
        say: Callable[[CommandState], bool],
        wake: Callable[[], None],
        clock: Clock,
    ) -> None:
        """``say`` sends a message, if there is a connection; ``wake`` has ``run`` called soon."""
        self._journal = journal
        self._actions = actions
        self._say = say
        self._wake = wake
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, tuple[Command, float]] = OrderedDict()

    def receive(self, command: Command) -> None:
        """Take one from the link; does not wait."""
        deadline_s = self._clock.monotonic_s() + command.time_left_ms / 1000
        with self._lock:
            if command.id in self._waiting or len(self._waiting) >= WAITING_MAX:
                return
            self._waiting[command.id] = (command, deadline_s)
        self._wake()

    def run(self) -> None:
        """Carry out what waits, in the order in which it came."""
        until_s = self._clock.monotonic_s() + ROUND_S
        while self._clock.monotonic_s() < until_s:
            with self._lock:
                if not self._waiting:
                    return
                _, (command, deadline_s) = self._waiting.popitem(last=False)
            if not self._one(command, deadline_s):
                # The cluster does not answer: the others would find the same.
                return
        self._wake()

    def _one(self, command: Command, deadline_s: float) -> bool:
        """Whether the cluster could be asked, if that was tried."""
        known = self._journal.find(command.id)
        if known is not None and known.has_ended:
            self._tell(command.id, known)
            return True
        if self._clock.monotonic_s() >= deadline_s:
            # The control plane has given it up by its own clock.
            return True
        try:
            self._tell(command.id, Entry("acknowledged", self._clock.now_ms()))
            self._journal.put(command.id, Entry(BEGUN, self._clock.now_ms()))
            self._tell(command.id, Entry(BEGUN, self._clock.now_ms()))
            entry = self._carried_out(command)
            if entry.has_ended:
                self._journal.put(command.id, entry)
            else:
                self._journal.forget(command.id)
        except OSError as error:
            reason = f"DISK: {error.strerror or error}"
            entry = Entry("retry", self._clock.now_ms(), "DISK", reason)
            log.warning("command %s cannot be remembered: %s", command.id, reason)
        self._tell(command.id, entry)
        return entry.code not in ("UNREACHABLE", "TIMEOUT", "TLS")

    def _carried_out(self, command: Command) -> Entry:
        action = self._actions.get(command.kind)
        if action is None:
            return self._failed("NOT_SUPPORTED", "this agent does not know the command")
        try:
            done = action(command.arguments)
        except ImpossibleError as error:
            return self._failed(error.code, error.message)
        except CallError as error:
            if error.is_unreachable or error.status in PASSING:
                text = error.message[:TEXT_CHARS_MAX]
                return Entry("retry", self._clock.now_ms(), error.code, text)
            return self._failed(error.code, error.message)
        log.info("command %s (%s): %s", command.id, command.kind, done.code)
        return Entry("succeeded", self._clock.now_ms(), done.code, fields=done.fields)

    def _failed(self, code: str, text: str) -> Entry:
        log.warning("a command failed: %s: %s", code, text)
        return Entry("failed", self._clock.now_ms(), code, text[:TEXT_CHARS_MAX])

    def _tell(self, command_id: str, entry: Entry) -> None:
        # Unheard it stays in the journal, where the same command finds it.
        self._say(
            CommandState(
                command_id,
                entry.state,
                entry.at_ms,
                code=entry.code,
                text=entry.text,
                fields=entry.fields,
            )
        )
