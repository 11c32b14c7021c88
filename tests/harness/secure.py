"""The raw client over TLS and over secure WebSocket, from a source address of its own."""

from __future__ import annotations

import base64
import os
import socket
import ssl
from pathlib import Path

from harness.client import DEADLINE_S, ClosedError, RawClient
from harness.packets import Connect
from harness.wire import Properties

_BINARY = 0x2
_CLOSE = 0x8


def client_context(ca_file: Path, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """What a client trusts, and what it shows."""
    context = ssl.create_default_context(cafile=str(ca_file))
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


class SecureClient(RawClient):
    """One connection over TLS; ``source`` is the address that it comes from."""

    def __init__(
        self,
        port: int,
        context: ssl.SSLContext,
        *,
        source: str = "127.0.0.1",
        level: int = 4,
        is_websocket: bool = False,
    ) -> None:
        self._context = context
        self._source = source
        self._is_websocket = is_websocket
        super().__init__("127.0.0.1", port, level)

    def _open(self, host: str, port: int) -> socket.socket:
        plain = socket.create_connection(
            (host, port), timeout=DEADLINE_S, source_address=(self._source, 0)
        )
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            stream = self._context.wrap_socket(plain, server_hostname=host)
        except (OSError, ssl.SSLError):
            plain.close()
            raise
        if not self._is_websocket:
            return stream
        try:
            return WebSocket(stream, f"{host}:{port}")
        except (OSError, ClosedError):
            stream.close()
            raise

    def enter(
        self,
        client_id: str,
        keep_alive: int = 60,
        *,
        clean_start: bool = True,
        properties: Properties | None = None,
    ) -> SecureClient:
        """Send CONNECT and expect acceptance."""
        try:
            self.connect(Connect(client_id, clean_start, keep_alive, properties=properties or {}))
        except BaseException:
            self.drop()
            raise
        return self


class WebSocket(socket.socket):
    """Frames around what is sent, and off what is received; knows what MQTT needs."""

    def __init__(self, stream: ssl.SSLSocket, host: str) -> None:
        super().__init__()
        super().close()
        self._stream = stream
        self._raw = bytearray()
        key = base64.b64encode(os.urandom(16)).decode()
        lines = (
            "GET /mqtt HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: mqtt",
            # What a client says about its address is not to be believed.
            "X-Forwarded-For: 192.0.2.99",
        )
        stream.sendall("\r\n".join((*lines, "", "")).encode())
        while b"\r\n\r\n" not in self._raw:
            self._read()
        head, _, rest = bytes(self._raw).partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ClosedError(f"no WebSocket: {head!r}")
        self._raw = bytearray(rest)

    def settimeout(self, value: float | None) -> None:
        self._stream.settimeout(value)

    def close(self) -> None:
        if hasattr(self, "_stream"):
            self._stream.close()

    def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
        mask = os.urandom(4)
        length = len(data)
        head = bytearray([0x80 | _BINARY])
        if length < 126:
            head.append(0x80 | length)
        else:
            head += bytes([0x80 | 126]) + length.to_bytes(2, "big")
        body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        self._stream.sendall(bytes(head) + mask + body)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        while True:
            frame = self._frame()
            if frame is None:
                self._read()
                continue
            opcode, payload = frame
            if opcode == _CLOSE:
                return b""
            if opcode <= _BINARY and payload:
                return payload

    def _read(self) -> None:
        data = self._stream.recv(65_536)
        if not data:
            raise ConnectionResetError("the stream has ended")
        self._raw += data

    def _frame(self) -> tuple[int, bytes] | None:
        raw = self._raw
        if len(raw) < 2:
            return None
        length, start = raw[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(raw) < start:
                return None
            length = int.from_bytes(raw[2:start], "big")
        if len(raw) < start + length:
            return None
        opcode, payload = raw[0] & 0x0F, bytes(raw[start : start + length])
        del raw[: start + length]
        return opcode, payload
