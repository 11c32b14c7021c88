"""Checks every hop between the cluster, the agent and the control plane, and names what is broken."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rookery.agent import process
from rookery.agent.cluster_api import api_of
from rookery.agent.control_api import ControlApi
from rookery.agent.credentials import Attempts, ClusterCredentials
from rookery.agent.failures import (
    ANSWER,
    REFUSED,
    TIMEOUT,
    UNREACHABLE,
    AgentError,
    CallError,
    calling,
)
from rookery.agent.http_client import HttpClient
from rookery.agent.link import DEFAULT_PORTS
from rookery.agent.places import Place
from rookery.agent.secret_file import SecretFile
from rookery.agent.service import SKEW_WARNED_MS, read_status, trust_of
from rookery.agent.settings import Settings, load
from rookery.agent.texts import say
from rookery.clock import Clock
from rookery.contracts.agent_enrolment_v1 import Metadata

TIMEOUT_S = 5.0
OK = "ok"
BROKEN = "broken"
SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One hop: ``advice`` says what to do about it."""

    hop: str
    state: str
    text: str = ""
    advice: str = ""


class Doctor:
    """Checks one agent's folder."""

    def __init__(self, place: Place, clock: Clock) -> None:
        self._place = place
        self._clock = clock
        self._settings = Settings()
        self._secrets: dict[str, str] = {}
        self._metadata: Metadata | None = None

    def findings(self) -> Iterator[Finding]:
        """Every hop in order; what depends on a broken one is skipped."""
        chain: tuple[tuple[str, Callable[[], str]], ...]
        if (yield from self._each((("config", self._config), ("process", self._process)))):
            chain = (
                ("control.address", self._control_address),
                ("control.tls", self._control_tls),
                ("registration", self._registration),
                ("clock", self._clocks),
                ("relay.address", self._relay_address),
                ("relay.credentials", self._relay_credentials),
            )
            yield from self._each(chain)
        yield from self._each(
            (
                ("cluster.address", self._cluster_address),
                ("cluster.api", self._cluster_api),
                ("cluster.credentials", self._cluster_credentials),
            )
        )
        yield from self._each((("logs", self._logs),))

    def _each(self, hops: tuple[tuple[str, Callable[[], str]], ...]) -> Any:
        is_good = True
        for hop, check in hops:
            if not is_good:
                yield Finding(hop, SKIPPED)
                continue
            try:
                yield Finding(hop, OK, check())
            except (CallError, AgentError) as error:
                is_good = hop in ("process", "clock")
                advice = say(f"doctor.advice.{hop}", url=self._settings.url, **self._words())
                yield Finding(hop, BROKEN, str(error), advice)
        return is_good

    def _words(self) -> dict[str, str]:
        return {
            "api_url": self._settings.api_url,
            "config": str(self._place.config_file),
            "log": str(self._place.log_file),
        }

    # -- this machine ----------------------------------------------------------------------

    def _config(self) -> str:
        self._settings = load(self._place.config_file)
        self._secrets = SecretFile(self._place.secrets_file, self._place.key_file).read()
        if not self._settings.url or not self._secrets.get("token"):
            raise AgentError(say("doctor.unregistered"))
        return f"{self._settings.url}, {self._secrets.get('agent_id', '')}"

    def _process(self) -> str:
        pid = process.running(self._place.lock_file)
        if pid is None:
            raise AgentError(say("status.stopped"))
        return say("status.running", pid=pid)

    def _logs(self) -> str:
        if not self._settings.log_collection_enabled:
            return say("doctor.logs.off")
        folder = self._settings.log_collection_dir
        with calling(folder), os.scandir(folder) as entries:
            next(entries, None)
        return folder

    # -- the control plane -----------------------------------------------------------------

    def _control_address(self) -> str:
        return reached(self._settings.url)

    def _control_tls(self) -> str:
        if not self._settings.url.startswith("https:"):
            return say("doctor.tls.none")
        trust = trust_of(self._place, self._settings)
        with calling(self._settings.url):
            HttpClient(self._settings.url, trust, timeout_s=TIMEOUT_S).connected().close()
        if trust.is_insecure:
            return say("doctor.tls.insecure")
        return say("doctor.tls.pinned" if trust.ca_file else "doctor.tls.system")

    def _registration(self) -> str:
        self._metadata = self._control().metadata()
        return say("doctor.registered", cluster=self._metadata.cluster_id)

    def _clocks(self) -> str:
        there_ms = self._metadata.clock_ms if self._metadata is not None else None
        if there_ms is None:
            there_ms = self._control().clock_ms()
        if there_ms is None:
            return say("doctor.clock.unknown")
        skew_ms = self._clock.now_ms() - there_ms
        text = say("doctor.clock.skew", seconds=f"{skew_ms / 1000:+.1f}")
        if abs(skew_ms) > SKEW_WARNED_MS:
            raise AgentError(text)
        return text

    def _control(self) -> ControlApi:
        trust = trust_of(self._place, self._settings)
        return ControlApi(self._settings.url, trust, self._secrets.get("token", ""))

    # -- the relay -------------------------------------------------------------------------

    def _servers(self) -> tuple[str, ...]:
        servers = self._metadata.mqtt.servers if self._metadata is not None else ()
        if not servers:
            raise CallError(ANSWER, "the control plane names no relay")
        return servers

    def _relay_address(self) -> str:
        failed: CallError | None = None
        for server in self._servers():
            try:
                return reached(server)
            except CallError as error:
                failed = error
        raise failed or CallError(UNREACHABLE, "no relay")

    def _relay_credentials(self) -> str:
        """What the running agent says, else one CONNECT in its place: two would push each other out."""
        pid = process.running(self._place.lock_file)
        status = read_status(self._place.status_file)
        if pid is not None and status is not None and status.get("mqtt_error") == "":
            return say("doctor.relay.running", pid=pid)
        failed: CallError | None = None
        for server in self._servers():
            try:
                return self._tried(server)
            except CallError as error:
                failed = error
        raise failed or CallError(UNREACHABLE, "no relay")

    def _tried(self, server: str) -> str:
        from paho.mqtt import client as mqtt  # noqa: PLC0415 - carried along, see the package
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: PLC0415

        assert self._metadata is not None
        access = self._metadata.mqtt
        agent_id = self._secrets.get("agent_id", "")
        answered = threading.Event()
        said: list[Any] = []
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=agent_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = TIMEOUT_S
        client.username_pw_set(
            access.username or agent_id, access.password or self._secrets.get("token", "")
        )
        parts = urlsplit(server)
        if parts.scheme == "mqtts":
            client.tls_set_context(trust_of(self._place, self._settings).context())

        def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
            said.append(reason)
            answered.set()

        client.on_connect = on_connect
        with calling(server):
            client.connect(
                parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme], clean_start=False
            )
        client.loop_start()
        answered.wait(TIMEOUT_S)
        client.disconnect()
        client.loop_stop()
        if not said:
            raise CallError(TIMEOUT, f"{server}: the relay does not answer the login")
        if said[0].is_failure:
            raise CallError(REFUSED, f"{server}: the relay says {said[0]}")
        return server

    # -- the cluster -----------------------------------------------------------------------

    def _cluster_address(self) -> str:
        """One node is enough; those that do not answer are named."""
        found, failed = [], []
        for url in (self._settings.api_url, *self._settings.others):
            try:
                found.append(reached(url))
            except CallError as error:
                failed.append(error)
        if not found:
            raise failed[0]
        return "; ".join([*found, *map(str, failed)])

    def _cluster_api(self) -> str:
        client = api_of(self._settings).client
        answer = client.call("GET", "/api/v5/nodes")
        if answer.status not in (200, 401):
            raise CallError(ANSWER, f"{client.url}/api/v5/nodes: {answer.status}")
        return f"{client.url}/api/v5"

    def _cluster_credentials(self) -> str:
        file = SecretFile(self._place.secrets_file, self._place.key_file)
        api = api_of(self._settings)
        credentials = ClusterCredentials(
            api, file, Attempts(self._place.attempts_file), self._clock
        )
        key = credentials.key()
        rows = api.get("/nodes", key)
        return say("doctor.cluster.nodes", count=len(rows) if isinstance(rows, list) else 0)


def reached(url: str) -> str:
    """Connect and hang up.

    Raises:
        CallError: nobody is there.
    """
    parts = urlsplit(url)
    default = {"http": 80, "https": 443, **DEFAULT_PORTS}[parts.scheme]
    with (
        calling(url),
        socket.create_connection(
            (parts.hostname or "", parts.port or default), timeout=TIMEOUT_S
        ) as found,
    ):
        host, port = found.getpeername()[:2]
    return f"{host}:{port}"
