"""Who asks ``/api/v3``: an application with its secret, which is an API key with its secret.

Guessing is slowed down as for ``/api/v5``, with the same counts: a key that is locked there is locked here.
"""

from __future__ import annotations

import base64
import binascii
import logging
from math import ceil

from starlette.requests import Request

from rookery.broker.admins import AdminService
from rookery.broker.rest.roles import OperationKey
from rookery.broker.rest_v3.asking import PREFIX
from rookery.errors import NotAllowedError, UnauthorizedError
from rookery.web.caller import Caller
from rookery.web.peer import HEADER_BYTES_MAX, address_of

_log = logging.getLogger("rookery.admins")

PUBLISHING: frozenset[OperationKey] = frozenset(
    {("POST", f"{PREFIX}/mqtt/publish"), ("POST", f"{PREFIX}/mqtt/publish_batch")}
)
"""What a publisher may do."""

ACCOUNTS = f"{PREFIX}/apps"
"""Applications: for administrators alone, looking too."""


class AppAdmission:
    """Reads the Authorization header."""

    def __init__(self, admins: AdminService) -> None:
        self._admins = admins
        self._lockout = admins.key_lockout

    async def caller(self, request: Request) -> Caller | None:
        """Who asks; none when the request does not say.

        Raises:
            UnauthorizedError: what it says is wrong, or too much that was wrong came from there.
        """
        header = request.headers.get("authorization")
        if header is None:
            return None
        app_id, secret = _pair(header[:HEADER_BYTES_MAX])
        address = address_of(request)
        if locked_s := self._lockout.locked_for_s(app_id, address):
            raise UnauthorizedError(f"too many wrong secrets, wait {ceil(locked_s)} s")
        key = self._admins.keys.verify(app_id, secret)
        if key is None:
            if self._lockout.was_bad(app_id, address):
                _log.warning("the application %r is locked for %s", app_id, address)
            raise UnauthorizedError(
                "the application or its secret is wrong, is disabled, or has expired"
            )
        self._lockout.was_good(app_id, address)
        return Caller(name=key.name, role=key.role, via="api_key", address=address)


class AppRules:
    """What an application may do: an administrator everything, a viewer looks, a publisher publishes."""

    def is_open(self, _key: OperationKey) -> bool:
        return False

    def known(self, caller: Caller | None) -> Caller:
        """There has to be one.

        Raises:
            UnauthorizedError: nobody said who asks.
        """
        if caller is None:
            raise UnauthorizedError(
                "say who asks: HTTP Basic with an application and its secret",
                message_zh="缺少身份凭据：请以应用 ID 及其密文进行 HTTP Basic 认证",
            )
        return caller

    def check(self, caller: Caller, key: OperationKey) -> None:
        """Let it be or refuse it.

        Raises:
            NotAllowedError: the role does not allow it.
        """
        method, path = key
        if caller.role == "administrator":
            return
        if caller.role == "publisher" and key in PUBLISHING:
            return
        is_account = path == ACCOUNTS or path.startswith(ACCOUNTS + "/")
        if caller.role == "viewer" and method == "GET" and not is_account:
            return
        raise NotAllowedError(f"{caller.role}s may not do this")


def _pair(header: str) -> tuple[str, str]:
    kind, _, rest = header.partition(" ")
    try:
        decoded = base64.b64decode(rest.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    app_id, colon, secret = decoded.partition(":")
    if kind.lower() != "basic" or not colon:
        raise UnauthorizedError("the Authorization header is no Basic credentials")
    return app_id, secret
