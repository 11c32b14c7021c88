"""The running agent: asks where the relay is, keeps the link, reports, serves the tunnel.

It runs on while nothing answers and says what is wrong, in its log, its status file and, as soon
as one of its two ways leads there, at the control plane. It ends when it is told to, or when it
finds itself stuck, for a supervisor to start it anew.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rookery.agent import systemd
from rookery.agent.actions import actions
from rookery.agent.backoff import Backoff
from rookery.agent.cluster_api import ClusterApi, api_of, basic, dashboard_of
from rookery.agent.collector import Collector, shown_error
from rookery.agent.commands import Commands
from rookery.agent.control_api import ControlApi
from rookery.agent.credentials import Attempts, ClusterCredentials
from rookery.agent.failures import GONE, REFUSED, CallError
from rookery.agent.http_client import Trust, bearer
from rookery.agent.journal import Journal
from rookery.agent.limit import ConnectionLimit
from rookery.agent.link import Identity, MqttLink
from rookery.agent.logs.collecting import LogCollector
from rookery.agent.places import Place, write_whole
from rookery.agent.secret_file import SecretFile
from rookery.agent.settings import Settings
from rookery.agent.tunnel import Tunnel
from rookery.clock import Clock
from rookery.contracts.agent_enrolment_v1 import Metadata
from rookery.contracts.agent_v1 import (
    REPORT_INTERVAL_S,
    VIEWER_KEY,
    Channel,
    CommandState,
    Desired,
    LogAck,
    LogBatch,
    Message,
    MessageError,
    Report,
    Reported,
    UnknownMessageError,
    parse,
)

log = logging.getLogger(__name__)

CAPABILITIES = ("http", "chunks", "reports", "websocket", "commands", VIEWER_KEY)
METADATA_WAIT_S = 5.0
METADATA_WAIT_MAX_S = 300.0
# What changes at the control plane is told by MQTT; this is for what that cannot tell.
METADATA_AGE_S = 3600.0
FIRST_CONNECT_S = 5.0
LAST_WORD_S = 5.0
SKEW_WARNED_MS = 30_000
_STATUS_BYTES_MAX = 1 << 20


class Ended(Exception):  # noqa: N818 - the end of a run, not a failure
    """The agent is not registered any more; ``reason`` says who decided that."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TunnelCredentials:
    """As whom requests of the tunnel are made."""

    def __init__(self, credentials: ClusterCredentials, lock: threading.Lock) -> None:
        self._credentials = credentials
        self._lock = lock

    def headers(self, credential: str) -> Mapping[str, str]:
        with self._lock:
            if credential == "key":
                return basic(self._credentials.key())
            if credential == "viewer":
                return basic(self._credentials.viewer_key())
            if credential == "user":
                return bearer(self._credentials.token())
        return {}

    def refused(self, credential: str) -> None:
        with self._lock:
            if credential == "user":
                self._credentials.forget_token()
            elif credential == "viewer":
                self._credentials.refuse_viewer_key()


class Agent:
    """One registered agent. ``run`` returns when it was stopped."""

    def __init__(self, place: Place, settings: Settings, clock: Clock, version: str) -> None:
        self._place = place
        self._settings = settings
        self._clock = clock
        self._secret_file = SecretFile(place.secrets_file, place.key_file)
        self._secrets = self._secret_file.read()
        self._trust = trust_of(place, settings)
        self._control = ControlApi(settings.url, self._trust, self._secrets.get("token", ""))
        self._boot_id = secrets.token_hex(8)
        self._version = version
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._gone = ""
        self._desired: Desired | None = None
        self._reported: Desired | None = None
        self._interval_s = REPORT_INTERVAL_S
        self._is_metadata_due = True
        self._metadata_s: float | None = None
        self._not_before_s = 0.0
        self._backoff = Backoff(METADATA_WAIT_S, METADATA_WAIT_MAX_S)
        self._link: MqttLink | None = None
        self._http_error = ""
        api, dashboard = api_of(settings), dashboard_of(settings)
        credentials = ClusterCredentials(
            api, self._secret_file, Attempts(place.attempts_file), clock
        )
        self._logs = self._log_collector(api)
        self._collector = Collector(
            settings,
            api,
            credentials,
            clock,
            node_id=self._secrets.get("node_id", ""),
            boot_id=self._boot_id,
            version=version,
            logs_error=lambda: self._logs.error if self._logs is not None else "",
        )
        limit = ConnectionLimit(self._collector.keyed, place.limit_file)
        self._commands = Commands(
            Journal(place.commands_file),
            actions(self._collector.keyed, limit),
            self._tell,
            self._wake.set,
            clock,
        )
        self._tunnel = Tunnel(
            {"api": api.client, "dashboard": dashboard.client},
            TunnelCredentials(credentials, self._collector.lock),
            self._say,
            clock,
            on_command=self._commands.receive,
        )

    # -- from other threads and signals ----------------------------------------------------

    def stop(self) -> None:
        """Make ``run`` return; may be called from a signal handler."""
        self._stopping.set()
        self._wake.set()

    def _receive(self, channel: Channel, payload: bytes) -> None:
        if channel is Channel.REQUEST:
            self._tunnel.receive(payload)
            return
        if not payload:
            return
        try:
            message = parse(payload)
        except UnknownMessageError:
            return
        except MessageError as error:
            log.warning("what comes on %s cannot be read: %s", channel.value, error)
            return
        if isinstance(message, LogAck) and self._logs is not None:
            self._logs.receive(message)
        elif isinstance(message, Desired) and channel is Channel.DESIRED:
            self._desired = message
            self._gone = message.unregister
            self._wake.set()

    def _tell(self, message: CommandState) -> bool:
        return self._say(message, Channel.EVENT)

    def _say(self, message: Message, channel: Channel = Channel.REPLY) -> bool:
        link = self._link
        try:
            return link is not None and link.send(channel, message.to_bytes())
        except MessageError:
            log.exception("an answer that cannot be sent")
            return False

    def _log_collector(self, api: ClusterApi) -> LogCollector | None:
        if not self._settings.log_collection_enabled:
            return None
        return LogCollector(
            Path(self._settings.log_collection_dir),
            self._place.logs_file,
            api.client,
            self._send_logs,
            self._clock,
            boot_id=self._boot_id,
        )

    def _send_logs(self, batch: LogBatch) -> bool:
        link = self._link
        return link is not None and link.send(Channel.LOG, batch.to_bytes())

    def _link_is_up(self) -> None:
        if self._logs is not None:
            self._logs.connected()
        self._wake.set()

    def _link_is_down(self) -> None:
        # Who asked has been told that the agent is away; answers would come to nobody.
        self._tunnel.cancel_all("the connection to the relay is gone")

    def _link_is_refused(self) -> None:
        self._is_metadata_due = True
        self._wake.set()

    # -- the run ---------------------------------------------------------------------------

    def run(self) -> None:
        """Work until stopped.

        Raises:
            Ended: the control plane removed this agent.
        """
        if self._logs is not None:
            self._logs.start()
        try:
            while not self._stopping.is_set():
                began = self._clock.monotonic_s()
                self._wake.clear()
                self._one_round()
                systemd.notify("WATCHDOG=1")
                left_s = self._interval_s - (self._clock.monotonic_s() - began)
                if not self._stopping.is_set() and left_s > 0:
                    self._wake.wait(left_s)
        finally:
            self._tunnel.cancel_all("the agent stops")
            if self._logs is not None:
                self._logs.stop()
            if self._link is not None:
                self._link.stop()

    def _one_round(self) -> None:
        """Ask what is to be asked, and report."""
        now = self._clock.monotonic_s()
        is_old = self._metadata_s is not None and now - self._metadata_s > METADATA_AGE_S
        if (self._is_metadata_due or is_old) and now >= self._not_before_s:
            self._ask_metadata()
        self._follow_desired()
        if self._gone:
            raise Ended(self._gone)
        self._commands.run()
        self._deliver(self._collector.collect(self._mqtt_error()))
        self._watch()

    def _ask_metadata(self) -> None:
        try:
            metadata = self._control.metadata()
        except CallError as error:
            if error.code == GONE:
                raise Ended(error.message) from error
            self._http_error = str(error)
            self._not_before_s = self._clock.monotonic_s() + self._backoff.next_s()
            log.warning("the control plane does not say where the relay is: %s", error)
            return
        self._backoff.succeeded()
        self._take(metadata)

    def _take(self, metadata: Metadata) -> None:
        """Put what the control plane says into force."""
        self._is_metadata_due = False
        self._metadata_s = self._clock.monotonic_s()
        self._http_error = ""
        if self._desired is None:
            self._interval_s = metadata.report.interval_s
        if metadata.clock_ms is not None:
            skew_ms = self._clock.now_ms() - metadata.clock_ms
            if abs(skew_ms) > SKEW_WARNED_MS:
                log.warning(
                    "this machine's clock is %d s %s that of the control plane",
                    abs(skew_ms) // 1000,
                    "before" if skew_ms > 0 else "behind",
                )
        access = metadata.mqtt
        agent_id = self._secrets.get("agent_id", "")
        identity = Identity(
            agent_id,
            access.username or agent_id,
            access.password or self._secrets.get("token", ""),
            self._boot_id,
            self._version,
            CAPABILITIES,
        )
        wanted = (identity, access.servers)
        if self._link is not None:
            if self._link.is_for(*wanted):
                return
            self._link.stop()
            self._link = None
        if not access.servers:
            self._http_error = "ANSWER: the control plane names no relay"
            return
        self._link = MqttLink(
            identity,
            access.servers,
            self._trust,
            on_message=self._receive,
            on_up=self._link_is_up,
            on_down=self._link_is_down,
            on_refused=self._link_is_refused,
            clock=self._clock,
        )
        self._link.start()
        # The first report should find the connection: it would otherwise say that there is none.
        self._wake.wait(FIRST_CONNECT_S)
        self._wake.clear()

    def _mqtt_error(self) -> str:
        if self._link is None:
            return self._http_error or "UNREACHABLE: not connected yet"
        return self._link.error

    def _deliver(self, report: Report) -> None:
        """By MQTT, or by HTTPS with the reason why not."""
        way = ""
        link = self._link
        if link is not None and link.send(Channel.REPORT, report.to_bytes()):
            way = "mqtt"
            self._http_error = ""
        elif self._secrets.get("token") and not self._is_metadata_due:
            try:
                self._control.report(report)
                way = "https"
                self._http_error = ""
            except CallError as error:
                if error.code == GONE:
                    raise Ended(error.message) from error
                if error.code == REFUSED:
                    self._is_metadata_due = True
                self._http_error = str(error)
                log.warning("no report could be delivered: %s", error)
        write_status(self._place.status_file, report, way, self._mqtt_error(), self._http_error)

    def _follow_desired(self) -> None:
        desired = self._desired
        if desired is None:
            return
        self._interval_s = desired.report_interval_s
        link = self._link
        if link is not None and self._reported is not desired:
            text = Reported(desired.version, hash=desired.hash).to_bytes()
            # Who removes this agent waits for its word: it should be there before the end.
            wait_s = LAST_WORD_S if desired.unregister else 0.0
            if link.send(Channel.REPORTED, text, retain=True, wait_s=wait_s):
                self._reported = desired

    def _watch(self) -> None:
        """A connection through which nothing comes is no connection."""
        limit_s = 3 * self._interval_s + 5
        link = self._link
        if link is not None and link.is_up and link.silence_s() > limit_s:
            log.warning("nothing comes from the relay for %d s, connecting anew", limit_s)
            link.break_off()


def trust_of(place: Place, settings: Settings) -> Trust:
    """Which certificate the control plane must have."""
    if settings.insecure_skip_verify:
        return Trust(is_insecure=True)
    return Trust(place.ca_file if place.ca_file.is_file() else None)


def write_status(path: Path, report: Report, way: str, mqtt_error: str, http_error: str) -> None:
    """What ``status`` and ``doctor`` read; nothing in it is secret."""
    found = {
        "delivered_by": way,
        "mqtt_error": shown_error(mqtt_error),
        "http_error": shown_error(http_error),
        "at_ms": report.clock_ms,
        "report": report.written(),
    }
    try:
        write_whole(path, json.dumps(found).encode(), 0o600)
    except OSError as error:
        # A full disk must not end the reports.
        log.warning("%s: %s", path, error.strerror or error)


def read_status(path: Path) -> dict[str, Any] | None:
    """What was written last."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_STATUS_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
