"""Looks at the relay the way an edge does: through its port, with the client settings of ``control.mqtt``.

A port that is open says little: what it shows may have expired this morning.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from rookery.access.reasons import shown_address, why_unreachable
from rookery.access.system_words import words_of_error
from rookery.control.relay.files import RelayFiles
from rookery.words import Words

_DISCONNECT = bytes((0xE0, 0x00))
"""As the first packet it makes the relay close, at once and without asking anybody."""
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}
_WANTS_CERTIFICATE = "CERTIFICATE_REQUIRED"
_SILENT = Words("{address} did not answer within {seconds} s", "{address} 在 {seconds} 秒内无响应")
_BAD_FILES = Words("control.mqtt: {why}", "control.mqtt：{why}")
CLOSED = Words("no port of the relay is open", "中继服务未开启任何端口")


@dataclass(frozen=True, slots=True)
class RelayLook:
    """How the relay is looked at."""

    files: RelayFiles

    async def problem(self, addresses: Mapping[str, tuple[str, int]]) -> Words | None:
        """What is wrong with it; none: it answers. ``addresses`` are its ports, by ``tcp`` and ``tls``."""
        kind = "tls" if "tls" in addresses and self.files.seen["useSSL"] else "tcp"
        if kind not in addresses:
            kind = "tls"
        if kind not in addresses:
            return CLOSED
        host, port = addresses[kind]
        host = _LOOPBACK.get(host, host)
        address = shown_address(host, port)
        try:
            context = await asyncio.to_thread(self._context) if kind == "tls" else None
        except (OSError, ssl.SSLError) as error:
            return _BAD_FILES.format(why=words_of_error(error))
        seconds = self.files.seen["connectTimeout"]
        try:
            async with asyncio.timeout(seconds):
                await _visit(host, port, context, self._name(host))
        except TimeoutError:
            return _SILENT.format(address=address, seconds=seconds)
        except ssl.SSLError as error:
            is_as_set = self.files.fail_if_no_peer_cert and self.files.client is None
            if is_as_set and (error.reason or "").endswith(_WANTS_CERTIFICATE):
                # It was told to want one, and there is none to show.
                return None
            return why_unreachable(address, error)
        except OSError as error:
            return why_unreachable(address, error)
        return None

    def _name(self, host: str) -> str:
        written: str = self.files.seen["addr"]
        name = written.rpartition(":")[0] if ":" in written else written
        return name.strip("[]") or host

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.files.authority.path))
        context.check_hostname = bool(self.files.seen["addr"])
        if not self.files.seen["verifyCertificate"]:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.files.client is not None:
            certificate, key = self.files.client
            context.load_cert_chain(certificate.path, key.path, password=lambda: "")
        return context


async def _visit(host: str, port: int, context: ssl.SSLContext | None, name: str) -> None:
    reader, writer = await asyncio.open_connection(
        host, port, ssl=context, server_hostname=name if context is not None else None
    )
    try:
        writer.write(_DISCONNECT)
        # A client certificate that is refused is told of after the handshake, with TLS 1.3.
        await reader.read(1)
    finally:
        writer.close()
