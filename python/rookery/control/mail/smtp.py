"""Hands a message to a mail server, and says in words which hop refused it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any, TypeAlias

import aiosmtplib
from aiosmtplib import SMTP

from rookery.control.mail import texts
from rookery.control.mail.errors import MailError
from rookery.control.mail.message import address_of, domain_of
from rookery.control.mail.settings import MailSettings
from rookery.control.outward import addresses_of, connected

HOP_S = 10.0
"""How long any answer may take."""
ALL_S = 45.0
"""How long all of it may take, whatever the server does."""
ANSWER_MAX = 200


Check: TypeAlias = Callable[[Sequence[str]], None]
"""Refuses addresses that nothing is sent to."""


async def deliver(
    mail: MailSettings,
    recipients: Sequence[str],
    message: EmailMessage,
    check: Check | None = None,
) -> None:
    """Send it to all of them. Certificates are always verified, for the name that was entered.

    ``check`` is shown the addresses that are then connected to: the name is not looked up again.

    Raises:
        MailError: it was not sent, or not to all.
    """
    try:
        async with asyncio.timeout(ALL_S):
            await _deliver(mail, recipients, message, check)
    except TimeoutError:
        raise MailError(texts.TOO_LATE, host=mail.host, port=mail.port) from None


async def _deliver(
    mail: MailSettings, recipients: Sequence[str], message: EmailMessage, check: Check | None
) -> None:
    addresses = await _resolve(mail)
    if check is not None:
        check(addresses)
    client = SMTP(
        # What the certificate has to be for.
        hostname=mail.host,
        timeout=HOP_S,
        use_tls=mail.security == "tls",
        start_tls=False,
        tls_context=mail.context(),
        # The sender's, for the name of this machine is nobody's business and often none.
        local_hostname=domain_of(mail.sender),
    )
    try:
        sock = await connected(addresses, mail.port, HOP_S)
    except OSError as error:
        raise _told(mail, error) from None
    try:
        await client.connect(sock=sock)
        await client.ehlo()
        if mail.security == "starttls":
            await client.starttls()
            await client.ehlo()
        if mail.username:
            await client.login(mail.username, mail.password.reveal())
        failed, _ = await client.send_message(
            message, sender=address_of(mail.sender), recipients=list(recipients)
        )
    except (aiosmtplib.SMTPException, ssl.SSLError, OSError, ValueError) as error:
        raise _told(mail, error) from None
    finally:
        await _leave(client)
    for recipient, answer in failed.items():
        raise _refused(mail, recipient, answer.code, answer.message)


async def _resolve(mail: MailSettings) -> list[str]:
    try:
        async with asyncio.timeout(HOP_S):
            return await addresses_of(mail.host, mail.port)
    except TimeoutError:
        raise MailError(texts.NO_NAME, host=mail.host, reason="timeout") from None
    except (socket.gaierror, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MailError(texts.NO_NAME, host=mail.host, reason=reason) from None


async def _leave(client: SMTP) -> None:
    """Politely when it is possible; the message is sent or not by then."""
    try:
        if client.is_connected:
            await client.quit(timeout=2.0)
    except (aiosmtplib.SMTPException, OSError):
        return
    finally:
        client.close()


def _told(mail: MailSettings, error: Exception) -> MailError:
    found = _of_connection(mail, error)
    if found is not None:
        return found
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        answer = _answer(error.code, error.message)
        return MailError(texts.PASSWORD, host=mail.host, answer=answer)
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        answer = _answer(error.code, error.message)
        return MailError(texts.SENDER, host=mail.host, sender=mail.sender, answer=answer)
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        first = error.recipients[0]
        return _refused(mail, first.recipient, first.code, first.message)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return MailError(
            texts.ANSWER,
            is_final=_is_final(error.code) and isinstance(error, aiosmtplib.SMTPDataError),
            host=mail.host,
            answer=_answer(error.code, error.message),
        )
    message = str(error)
    if "STARTTLS" in message:
        return MailError(texts.NO_STARTTLS, host=mail.host, port=mail.port)
    if "authentication method" in message or "AUTH" in message:
        return MailError(texts.NO_LOGIN, host=mail.host)
    return MailError(texts.ANSWER, host=mail.host, answer=message[:ANSWER_MAX])


def _of_connection(mail: MailSettings, error: Exception) -> MailError | None:
    where: Any = {"host": mail.host, "port": mail.port}
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return MailError(texts.CERTIFICATE, host=mail.host, reason=cause.verify_message)
    if isinstance(cause, ssl.SSLError):
        return MailError(texts.TLS, **where, reason=cause.reason or str(cause))
    if isinstance(error, (aiosmtplib.SMTPTimeoutError, TimeoutError)):
        return MailError(texts.TOO_LATE, **where)
    if isinstance(cause, ConnectionRefusedError):
        return MailError(texts.REFUSED, **where)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return None
    if isinstance(cause, (aiosmtplib.SMTPServerDisconnected, ConnectionResetError, EOFError)):
        return MailError(texts.BROKE_OFF, **where)
    if isinstance(cause, OSError) and not isinstance(cause, aiosmtplib.SMTPException):
        return MailError(texts.UNREACHABLE, **where, reason=cause.strerror or str(cause))
    return None


def _cause(error: BaseException) -> BaseException:
    """What is behind it: the library says everything of a connection in one kind."""
    seen = error
    while seen.__cause__ is not None:
        seen = seen.__cause__
    # Several addresses of one name were tried.
    if isinstance(seen, ExceptionGroup) and seen.exceptions:
        return seen.exceptions[0]
    return seen


def _refused(mail: MailSettings, recipient: str, code: int, message: str) -> MailError:
    return MailError(
        texts.RECIPIENT,
        is_final=_is_final(code),
        host=mail.host,
        recipient=recipient,
        answer=_answer(code, message),
    )


def _is_final(code: int) -> bool:
    return 500 <= code < 600


def _answer(code: int, message: str) -> str:
    return f"{code} {' '.join(message.split())}"[:ANSWER_MAX]
