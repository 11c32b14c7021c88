"""What ``rookery pub`` and ``rookery sub`` have in common: options and a connection."""

from __future__ import annotations

import argparse
import errno
import os
import queue
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rookery.cli import tls_alerts
from rookery.cli.messages import say
from rookery.cli.parsers import KEEP_ALIVE, PORT_NUMBER
from rookery.errors import BadRequestError, RookeryError, TimedOutError, UnavailableError

if TYPE_CHECKING:
    import paho.mqtt.client as paho
    from paho.mqtt.reasoncodes import ReasonCode

CONNECT_TIMEOUT_S = 10.0
# By TLS and WebSocket.
PORTS = {
    (False, False): 1883,
    (True, False): 8883,
    (False, True): 8083,
    (True, True): 8084,
}
WS_PATH = "/mqtt"
PROTOCOLS = {
    "3.1": 3,
    "31": 3,
    "mqttv31": 3,
    "3.1.1": 4,
    "311": 4,
    "mqttv311": 4,
    "5": 5,
    "mqttv5": 5,
}


def add_connection(parser: argparse.ArgumentParser) -> None:
    """The options that name a broker and a client."""
    parser.add_argument("-h", "--host", default="127.0.0.1", help=say("option.host"))
    parser.add_argument("-p", "--port", type=PORT_NUMBER, help=say("option.port"))
    parser.add_argument(
        "-q", "--qos", type=int, choices=(0, 1, 2), default=0, help=say("option.qos")
    )
    parser.add_argument(
        "-V",
        "--protocol",
        metavar="VERSION",
        choices=PROTOCOLS,
        default="5",
        help=say("option.protocol"),
    )
    parser.add_argument("-i", "--client-id", metavar="ID", default="", help=say("option.client-id"))
    parser.add_argument("-u", "--username", metavar="NAME", help=say("option.username"))
    parser.add_argument("-P", "--password", metavar="TEXT", help=say("option.password"))
    parser.add_argument(
        "-k",
        "--keepalive",
        metavar="SECONDS",
        type=KEEP_ALIVE,
        default=60,
        help=say("option.keepalive"),
    )
    add_transport(parser)


def add_transport(parser: argparse.ArgumentParser) -> None:
    """The options of TLS and WebSocket."""
    parser.add_argument("--tls", action="store_true", help=say("option.tls"))
    parser.add_argument("--cafile", metavar="FILE", help=say("option.cafile"))
    parser.add_argument("--cert", metavar="FILE", help=say("option.cert"))
    parser.add_argument("--key", metavar="FILE", help=say("option.key"))
    parser.add_argument("--insecure", action="store_true", help=say("option.insecure"))
    parser.add_argument("--ws", action="store_true", help=say("option.ws"))
    parser.add_argument("--path", metavar="PATH", help=say("option.path", default=WS_PATH))


def is_tls(arguments: argparse.Namespace) -> bool:
    """Whether the connection is TLS: every option of TLS asks for it."""
    return bool(arguments.tls or arguments.cafile or arguments.cert or arguments.insecure)


def is_websocket(arguments: argparse.Namespace) -> bool:
    """Whether the connection is a WebSocket."""
    return bool(arguments.ws or arguments.path)


def default_port(arguments: argparse.Namespace) -> int:
    """The port that brokers use for this kind of connection."""
    return PORTS[is_tls(arguments), is_websocket(arguments)]


def _without_origin(headers: dict[str, str]) -> dict[str, str]:
    """What a browser says of its page; the library sends it for a command, which has none."""
    return {name: value for name, value in headers.items() if name.lower() != "origin"}


class Connection:
    """A client that is connected. What arrives waits in a queue for whoever asks."""

    def __init__(
        self, arguments: argparse.Namespace, *, clean: bool = True, session_expiry_s: int = 0
    ) -> None:
        import paho.mqtt.client as paho  # noqa: PLC0415
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: PLC0415

        self.is_v5 = PROTOCOLS[arguments.protocol] == 5
        client_id = arguments.client_id or f"rookery-{os.urandom(5).hex()}"
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion(PROTOCOLS[arguments.protocol]),
            reconnect_on_failure=False,
            clean_session=None if self.is_v5 else clean,
            transport="websockets" if is_websocket(arguments) else "tcp",
        )
        if is_websocket(arguments):
            self.client.ws_set_options(arguments.path or WS_PATH, _without_origin)
        password = arguments.password or os.environ.get("ROOKERY_PASSWORD")
        if arguments.username is not None or password is not None:
            self.client.username_pw_set(arguments.username, password)
        if is_tls(arguments):
            _use_tls(self.client, arguments)
        self._host: str = arguments.host
        self._port: int = arguments.port or default_port(arguments)
        self._keepalive: int = arguments.keepalive
        self._clean = clean
        self._session_expiry_s = session_expiry_s
        self.messages: queue.SimpleQueue[paho.MQTTMessage | RookeryError] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[RookeryError | None] = queue.SimpleQueue()
        self.refused: dict[int, str] = {}  # packet identifier -> reason, of refused publishes
        self._is_connected = False
        self._is_closing = False
        # Why reading or writing failed, in the words of the library: it tells them to its log alone.
        self._failure = ""

    def __enter__(self) -> Self:
        client = self.client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_log = self._on_log
        client.on_message = lambda _client, _data, message: self.messages.put(message)
        try:
            client.connect(self._host, self._port, self._keepalive, **self._v5_options())
        except (OSError, ValueError) as error:
            where = {"host": self._host, "port": self._port}
            raise UnavailableError(_unreachable(error, where)) from None
        client.loop_start()
        try:
            self.wait(self._answers)
        except BaseException:
            client.loop_stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closing = True
        self.client.disconnect()
        self.client.loop_stop()

    def wait(self, answers: queue.SimpleQueue[RookeryError | None]) -> None:
        """Wait for one answer of the broker.

        Raises:
            TimedOutError: it does not come.
            RookeryError: it is a refusal.
        """
        try:
            answer = answers.get(timeout=CONNECT_TIMEOUT_S)
        except queue.Empty:
            raise TimedOutError(say("mqtt.timeout", seconds=f"{CONNECT_TIMEOUT_S:g}")) from None
        if answer is not None:
            raise answer

    def _v5_options(self) -> dict[str, Any]:
        if not self.is_v5:
            return {}
        from paho.mqtt.packettypes import PacketTypes  # noqa: PLC0415
        from paho.mqtt.properties import Properties  # noqa: PLC0415

        properties: Any = Properties(PacketTypes.CONNECT)
        if self._session_expiry_s:
            properties.SessionExpiryInterval = self._session_expiry_s
        return {"clean_start": self._clean, "properties": properties}

    def _on_publish(
        self, _client: object, _data: object, mid: int, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            self.refused[mid] = str(code)

    def _on_connect(
        self, _client: object, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if code.is_failure:
            reason = str(code)
            self._is_closing = True
            self._answers.put(
                UnavailableError(
                    say("mqtt.refused", host=self._host, port=self._port, reason=reason)
                )
            )
            return
        self._is_connected = True
        self._answers.put(None)

    def _on_disconnect(
        self, _client: object, _data: object, _flags: object, code: ReasonCode, _props: object
    ) -> None:
        if self._is_closing:
            return
        error = UnavailableError(self._why_lost(str(code)))
        if self._is_connected:
            self.messages.put(error)
        else:
            self._answers.put(error)

    def _on_log(self, _client: object, _data: object, _level: int, text: str) -> None:
        if tls_alerts.is_told_in(text):
            self._failure = text

    def _why_lost(self, reason: str) -> str:
        alert = tls_alerts.meaning(self._failure)
        if alert is not None:
            return say("mqtt.lost", reason=alert)
        text = say("mqtt.lost", reason=reason)
        if not self._is_connected:
            # Before CONNACK: it may be another protocol that answered.
            text += say("mqtt.advice", text=say("mqtt.advice.no_answer"))
        return text


def _use_tls(client: paho.Client, arguments: argparse.Namespace) -> None:
    for name in filter(None, (arguments.cafile, arguments.cert, arguments.key)):
        try:
            with Path(name).open("rb"):
                pass
        except OSError as error:
            raise BadRequestError(say("mqtt.no_file", file=name, reason=_reason(error))) from None
    try:
        client.tls_set(
            ca_certs=arguments.cafile,
            certfile=arguments.cert,
            keyfile=arguments.key,
            cert_reqs=ssl.CERT_NONE if arguments.insecure else ssl.CERT_REQUIRED,
        )
        client.tls_insecure_set(arguments.insecure)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = tls_alerts.meaning(str(error)) or _reason(error)
        raise BadRequestError(say("mqtt.bad_tls", reason=reason)) from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _unreachable(error: Exception, where: dict[str, Any]) -> str:
    """Why there is no connection, and what to do about it."""
    alert = tls_alerts.meaning(str(error)) if isinstance(error, ssl.SSLError) else None
    if alert is not None:
        return say("mqtt.unreachable", **where, reason=alert)
    text = say("mqtt.unreachable", **where, reason=_reason(error))
    advice = _advice(error)
    if advice is not None:
        text += say("mqtt.advice", text=say(advice, **where))
    return text


def _advice(error: Exception) -> str | None:
    """The text that says what to do about a broker that cannot be reached."""
    if isinstance(error, ConnectionRefusedError):
        return "mqtt.advice.refused"
    if isinstance(error, socket.gaierror):
        return "mqtt.advice.name"
    if type(error).__name__ == "WebsocketConnectionError":
        return "mqtt.advice.websocket"
    if isinstance(error, TimeoutError):
        return "mqtt.advice.silent"
    if isinstance(error, OSError) and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "mqtt.advice.no_way"
    return None


def run_connected(
    arguments: argparse.Namespace,
    action: Callable[[Connection], int],
    *,
    clean: bool = True,
    session_expiry_s: int = 0,
) -> int:
    """Connect, act, disconnect; the exit code of ``action``."""
    with Connection(arguments, clean=clean, session_expiry_s=session_expiry_s) as connection:
        return action(connection)
