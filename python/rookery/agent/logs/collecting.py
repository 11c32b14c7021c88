"""The thread that follows the log files. Nothing of it ever waits for the reports, nor they for it."""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Callable
from pathlib import Path

from rookery.agent.failures import CallError
from rookery.agent.http_client import HttpClient
from rookery.agent.logs.notices import Notices
from rookery.agent.logs.tailing import LogTail
from rookery.clock import Clock
from rookery.contracts.agent_v1 import LogAck, LogBatch

log = logging.getLogger(__name__)

GATHER_S = 1.0
"""What is written meanwhile goes together."""
NODE_AGE_S = 600.0
_NODE = re.compile(r"Node (\S{1,256}) is ")
_ACKS_MAX = 256


class LogCollector:
    """Follows one folder from :meth:`start` to :meth:`stop`, each of which is called once."""

    def __init__(
        self,
        folder: Path,
        state_file: Path,
        cluster: HttpClient,
        send: Callable[[LogBatch], bool],
        clock: Clock,
        *,
        boot_id: str,
    ) -> None:
        self._path = folder
        self._state_file = state_file
        self._cluster = cluster
        self._send = send
        self._clock = clock
        self._boot_id = boot_id
        # Answers come in the thread of the connection; more than are under way there cannot be.
        self._answers: queue.Queue[LogAck | None] = queue.Queue(_ACKS_MAX)
        self._notices: Notices | None = None
        self._is_begun = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._node = ""
        self._node_s: float | None = None
        self.error = ""

    # -- from other threads ----------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()
        self._is_begun.wait()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Remember where it is, and end."""
        self._stopping.set()
        self._put(None)
        self._thread.join(timeout_s)

    def connected(self) -> None:
        """There is a connection, another than before."""
        self._put(None)

    def receive(self, ack: LogAck) -> None:
        """An answer of the control plane."""
        self._put(ack)

    def _put(self, item: LogAck | None) -> None:
        try:
            self._answers.put_nowait(item)
        except queue.Full:
            # What it was about is sent again.
            return
        notices = self._notices
        if notices is not None:
            notices.wake()

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._notices = notices = Notices()
        finally:
            self._is_begun.set()
        try:
            self._follow(notices)
        except Exception as error:
            log.exception("log files are not followed any more")
            self.error = f"ANSWER: log files are not followed any more: {error}"
        finally:
            notices.close()

    def _follow(self, notices: Notices) -> None:
        tail = LogTail(
            self._path,
            self._state_file,
            self._send,
            self._clock,
            boot_id=self._boot_id,
            node=self._node_name,
        )
        looked_s = self._clock.monotonic_s() - GATHER_S
        try:
            while not self._stopping.is_set():
                if self._clock.monotonic_s() - looked_s >= GATHER_S:
                    looked_s = self._clock.monotonic_s()
                    # First: what changes after the look is told.
                    notices.watch(self._path)
                    tail.look()
                self._take_answers(tail)
                tail.ship()
                tail.save()
                self._tell(tail.error)
                self._wait(notices, tail, looked_s + GATHER_S)
        finally:
            tail.close()

    def _wait(self, notices: Notices, tail: LogTail, gathered_s: float) -> None:
        """Until something happens. A change in the folder counts after a moment: a line is followed
        by the next one at once.
        """
        is_told = notices.wait(min(notices.look_s, tail.due_in_s))
        left_s = gathered_s - self._clock.monotonic_s()
        if not is_told or left_s <= 0 or self._stopping.is_set():
            return
        try:
            self._answered(tail, self._answers.get(timeout=left_s))
        except queue.Empty:
            return

    def _take_answers(self, tail: LogTail) -> None:
        while True:
            try:
                self._answered(tail, self._answers.get_nowait())
            except queue.Empty:
                return

    def _answered(self, tail: LogTail, item: LogAck | None) -> None:
        if item is None:
            tail.connected()
        else:
            tail.answered(item)

    def _tell(self, error: str) -> None:
        if error and error != self.error:
            log.warning("logs: %s", error)
        self.error = error

    def _node_name(self) -> str:
        """The name of the node that writes there: the one whose REST this agent asks."""
        now_s = self._clock.monotonic_s()
        if self._node_s is None or (not self._node and now_s - self._node_s > NODE_AGE_S):
            self._node_s = now_s
            try:
                answer = self._cluster.call("GET", "/status")
            except CallError as error:
                log.info("the name of the node is not known: %s", error)
            else:
                found = _NODE.search(answer.body[:1024].decode("utf-8", "replace"))
                self._node = found[1] if found is not None else ""
        return self._node
