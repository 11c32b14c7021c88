"""An OPC UA server with a press in it: asyncua's own, on a thread of its own.

It takes seconds to make, so the tests of a module share one.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID

T = TypeVar("T")

VALUES: dict[str, ua.Variant] = {
    "Speed": ua.Variant(12.5, ua.VariantType.Double),
    "Count": ua.Variant(7, ua.VariantType.Int32),
    "Running": ua.Variant(True, ua.VariantType.Boolean),
    "Order": ua.Variant("A-1", ua.VariantType.String),
}


class Press:
    """The server; encrypted with a certificate of its own, and plain."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.ids: dict[str, str] = {}
        self._folder = folder
        self._nodes: dict[str, Any] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: Server = self._run(self._start())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> Server:
        key, cert = await certificate(self._folder, "server", "urn:press:server")
        server = Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}")
        await server.set_application_uri("urn:press:server")
        server.set_security_policy(
            [
                ua.SecurityPolicyType.NoSecurity,
                ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
            ]
        )
        await server.load_certificate(cert)
        await server.load_private_key(key)
        namespace = await server.register_namespace("urn:press")
        press = await server.nodes.objects.add_object(namespace, "Press")
        for name, value in VALUES.items():
            node = await press.add_variable(namespace, name, value)
            await node.set_writable()
            self._nodes[name] = node
            self.ids[name] = node.nodeid.to_string()
        await server.start()
        return server

    def stop(self) -> None:
        self._run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def reset(self) -> None:
        """As it was at first."""
        for name, value in VALUES.items():
            self.put(name, value)

    def put(self, name: str, value: ua.Variant) -> None:
        self._run(self._nodes[name].write_value(value))

    def get(self, name: str) -> Any:
        return self._run(self._nodes[name].read_value())


async def certificate(folder: Path, name: str, uri: str) -> tuple[Path, Path]:
    """A key and a certificate that it signed itself."""
    key, cert = folder / f"{name}-key.pem", folder / f"{name}.der"
    usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    await setup_self_signed_certificate(key, cert, uri, "localhost", usage, {"commonName": name})
    return key, cert
