"""A mail server: aiosmtpd on a port of its own, with TLS and sign-in, on a thread of its own.

with MailServer(folder, tls="starttls", user="rookery", password="…") as server:
    …
    message = server.next()          # waits for it
"""

from __future__ import annotations

import asyncio
import queue
import re
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from harness.client import DEADLINE_S
from rookery.access.authority import Authority, now_utc

_LINK = re.compile(r"https?://\S+/#/\S+")


class MailServer:
    """What it took is in :meth:`next`; ``refuses`` is what it answers to a message instead."""

    def __init__(
        self,
        folder: Path,
        *,
        tls: Literal["starttls", "tls", "none"] = "starttls",
        user: str = "",
        password: str = "",
        name: str = "localhost",
    ) -> None:
        authority = Authority(folder / "mail-ca", now_utc())
        authority.sign_server((name,), 30)
        self.ca = authority.certificate_file.read_text()
        self.refuses = ""
        self.refuses_recipient = ""
        self.port = 0
        self._tls = tls
        self._user, self._password = user, password
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(
            folder / "mail-ca" / "server.pem", folder / "mail-ca" / "server.key"
        )
        self._sessions: list[SMTP] = []
        self._got: queue.Queue[EmailMessage] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server")

    def settings(self, **other: Any) -> dict[str, Any]:
        """What the control plane is told to use it."""
        return {
            "host": "localhost",
            "port": self.port,
            "security": self._tls,
            "username": self._user,
            "password": self._password,
            "sender": "Rookery <rookery@example.com>",
            "caCertificate": "" if self._tls == "none" else self.ca,
            **other,
        }

    def next(self) -> EmailMessage:
        """The message that came first of those nobody looked at."""
        return self._got.get(timeout=DEADLINE_S)

    @property
    def is_empty(self) -> bool:
        """Nobody has to look at anything."""
        return self._got.empty()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(DEADLINE_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(DEADLINE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    async def _open(self) -> None:
        # A second time on the same port: a server that was away is back.
        self._server = await self._loop.create_server(
            self._session, "localhost", self.port, ssl=self._context if self._tls == "tls" else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for session in self._sessions:
            # After STARTTLS the one below is another.
            for transport in (session.transport, session._original_transport):
                if isinstance(transport, asyncio.WriteTransport):
                    transport.abort()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        # What was aborted is told so, and closes its socket, in the loop's next turns.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _session(self) -> SMTP:
        session = SMTP(
            self,
            hostname="mail.example.com",
            loop=self._loop,
            tls_context=self._context if self._tls == "starttls" else None,
            require_starttls=self._tls == "starttls",
            auth_required=bool(self._user),
            auth_require_tls=self._tls == "starttls",
            authenticator=self._authenticate if self._user else None,
        )
        self._sessions.append(session)
        return session

    def _authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        wanted = LoginPassword(self._user.encode(), self._password.encode())
        return AuthResult(success=data == wanted, handled=False)

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address == self.refuses_recipient:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuses:
            return self.refuses
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self._got.put(found)
        return "250 taken"


def text_of(message: EmailMessage) -> str:
    """What somebody reads."""
    body = message.get_body(("plain",))
    assert body is not None
    content: str = body.get_content()
    return content


def link_of(message: EmailMessage) -> str:
    """The page that it leads to."""
    found = _LINK.search(text_of(message))
    assert found is not None, text_of(message)
    return found[0]
