"""Keeps the certificate of this process's ports fit for the access address, while they are open."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import ssl
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from rookery.access.own_certificates import Certificates
from rookery.control.errors import InvalidError, OutOfReachError, Text
from rookery.control.settings import address
from rookery.errors import BadRequestError, RookeryError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control")

NO_HOST = Text(
    "{url} names no host that a certificate can be for", "{url} 中没有可签发证书的主机名"
)
NOT_MADE = Text(
    "no certificate can be made for {host}: {reason}", "无法为 {host} 签发证书：{reason}"
)
MISFIT = Text(
    "the certificate in {file} is not for {host}: agents on other machines will refuse it. "
    "Bring one that holds this name, or leave out control.tls.certfile to have one made.",
    "{file} 中的证书不包含 {host}，其他机器上的代理将拒绝连接。请提供包含该名称的证书，"
    "或去掉 control.tls.certfile 以自动签发。",
)

Taker = Callable[[], Awaitable[None]]


class ServerCertificate:
    """What the ports show. Files that were brought are looked at and never touched."""

    def __init__(self, files: Certificates, database: Database) -> None:
        self._files = files
        self._database = database
        self._contexts: list[ssl.SSLContext] = []
        self._takers: list[Taker] = []
        self._making = asyncio.Lock()
        self._told = ""

    def context(self) -> ssl.SSLContext:
        """For a port that speaks TLS; takes every certificate that is made later.

        Raises:
            StartError: the files cannot be used.
        """
        context = self._files.context()
        self._contexts.append(context)
        return context

    def tells(self, taker: Taker) -> None:
        """Call ``taker`` when the files hold another certificate."""
        self._takers.append(taker)

    async def fit(self, url: str) -> None:
        """Have every port show a certificate for the host of that address; it is made when needed.

        Raises:
            InvalidError: the address has no host that can be in a certificate.
            OutOfReachError: the certificate cannot be made.
        """
        if not self._files.is_own:
            return
        host = _host_of(url)
        async with self._making:
            try:
                is_new = await asyncio.to_thread(self._files.make_fit, host)
                if not is_new:
                    return
                for context in self._contexts:
                    self._files.load(context)
                for taker in self._takers:
                    await taker()
            except BadRequestError as error:
                raise InvalidError(NOT_MADE, host=host, reason=error.message) from None
            except (RookeryError, OSError, ValueError) as error:
                raise OutOfReachError(NOT_MADE, host=host, reason=error) from error
        _log.info("the certificate of the ports is one for %s now", host)

    async def misfit(self, url: str, language: str) -> str:
        """What is wrong with a certificate that was brought; empty when it is good for the address."""
        if not url:
            return ""
        with contextlib.suppress(InvalidError, OSError, ValueError):
            host = _host_of(url)
            if not await asyncio.to_thread(self._files.fits, host):
                text = MISFIT.zh if language == "zh" else MISFIT.en
                return text.format(file=self._files.certificate_file, host=host)
        return ""

    async def look(self) -> None:
        """Fit the address that is set, which another process may have done, and tell what is wrong."""
        problem = ""
        try:
            async with self._database.read() as session:
                url = await address.read(session)
            if url:
                await self.fit(url)
                problem = await self.misfit(url, "en")
        except RookeryError as error:
            problem = error.message
        if problem and problem != self._told:
            _log.warning("%s", problem)
        self._told = problem


def _host_of(url: str) -> str:
    try:
        host = urlsplit(url).hostname or ""
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(host))
        # As clients ask for it: what is no ASCII is written in letters that are.
        found = host.rstrip(".").encode("idna").decode("ascii").lower()
    except ValueError:
        found = ""
    if not found:
        raise InvalidError(NO_HOST, url=url)
    return found
