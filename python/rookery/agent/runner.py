"""``run``: one agent after the other in this process, until it is told to end.

SIGTERM and SIGINT end it. SIGHUP reads everything anew: ``register``, ``unregister`` and
``credentials`` send it. While this machine is not registered it waits for that.
"""

from __future__ import annotations

import logging
import queue
import signal
import threading
from collections.abc import Callable

from rookery.agent import enrol, log_file, process, systemd
from rookery.agent.places import Place
from rookery.agent.secret_file import SecretFile
from rookery.agent.service import Agent, Ended
from rookery.agent.settings import Settings, load
from rookery.clock import SystemClock

log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# systemd is told that all is well more often than it asks, while there is nothing to do.
_IDLE_S = systemd.WATCHDOG_S / 4


def run(
    place: Place, version: str, *, is_foreground: bool, ready: Callable[[], None] | None = None
) -> int:
    """Be the agent of this folder; the exit code.

    Raises:
        AgentError: it cannot start.
    """
    place.make()
    with process.held(place.lock_file):
        settings = load(place.config_file)
        log_file.begin(place, settings, is_foreground=is_foreground)
        log.info("rookery-agent %s starts in %s", version, place.home)
        signals = _Signals()
        systemd.notify("READY=1")
        if ready is not None:
            ready()
        while not signals.is_over:
            settings = load(place.config_file)
            kept = SecretFile(place.secrets_file, place.key_file).read()
            if kept.get("token") and settings.url:
                _one(place, settings, version, signals)
            else:
                log.info("not registered; waiting for: rookery-agent register")
                signals.wait()
        systemd.notify("STOPPING=1")
        log.info("stopped")
    return 0


def _one(place: Place, settings: Settings, version: str, signals: _Signals) -> None:
    log.info("connecting to %s for the cluster at %s", settings.url, settings.api_url)
    agent = Agent(place, settings, SystemClock(), version)
    signals.meant_for(agent)
    try:
        agent.run()
    except Ended as ended:
        log.warning("the control plane removed this agent: %s", ended.reason)
        for text in enrol.forget(place, settings, SystemClock()):
            log.warning("%s", text)
    finally:
        signals.meant_for(None)


class _Signals:
    """Signals, taken by a thread of their own: a handler would run in the middle of anything."""

    def __init__(self) -> None:
        self.is_over = False
        self._agent: Agent | None = None
        self._lock = threading.Lock()
        self._came: queue.SimpleQueue[int] = queue.SimpleQueue()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        threading.Thread(target=self._take, name="signals", daemon=True).start()

    def meant_for(self, agent: Agent | None) -> None:
        with self._lock:
            self._agent = agent
            if agent is not None and self.is_over:
                agent.stop()

    def wait(self) -> None:
        """Until one comes."""
        while True:
            try:
                self._came.get(timeout=_IDLE_S)
            except queue.Empty:
                systemd.notify("WATCHDOG=1")
            else:
                return

    def _take(self) -> None:
        while True:
            number = signal.sigwait(_SIGNALS)
            with self._lock:
                self.is_over = self.is_over or number != signal.SIGHUP
                agent = self._agent
                if agent is not None:
                    agent.stop()
            if agent is None:
                self._came.put(number)
