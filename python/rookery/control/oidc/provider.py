"""A provider as it describes itself (discovery), and its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rookery.access.jwt.keys import KEYS_MAX, Header, WebKey
from rookery.clock import Clock
from rookery.control.errors import OutOfReachError
from rookery.control.oidc import texts
from rookery.control.oidc.settings import OidcSettings, is_private
from rookery.control.oidc.web import Asked, ask

WELL_KNOWN = "/.well-known/openid-configuration"
FRESH_S = 3600.0
HURRY_S = 5.0
"""A key that nobody knows makes the keys be asked for no more often than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a provider says of itself.

    Attributes:
        is_basic: The client's secret goes in a header; otherwise in the form.
        names_issuer: It says in its answers who it is (RFC 9207).
    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    is_basic: bool
    names_issuer: bool


async def describe(oidc: OidcSettings) -> Description:
    """Ask the provider.

    Raises:
        OutOfReachError: it does not answer, or is not what it should be.
    """
    url = oidc.issuer.rstrip("/") + WELL_KNOWN
    answer = await ask(oidc, Asked(url=url))
    if answer.status != 200:
        raise OutOfReachError(texts.STATUS, url=url, status=answer.status)
    record = answer.record
    found = record.get("issuer")
    # OpenID Connect Discovery 4.3: exactly; a provider must not speak for another.
    if found != oidc.issuer:
        raise OutOfReachError(texts.OTHER_ISSUER, url=url, found=str(found)[:200])
    kinds = record.get("response_types_supported", ["code"])
    if not isinstance(kinds, list) or "code" not in kinds:
        raise OutOfReachError(texts.NO_CODE_FLOW)
    methods = record.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Description(
        authorization_endpoint=_endpoint(record, "authorization_endpoint"),
        token_endpoint=_endpoint(record, "token_endpoint"),
        jwks_uri=_endpoint(record, "jwks_uri"),
        userinfo_endpoint=_endpoint(record, "userinfo_endpoint", is_needed=False),
        is_basic=isinstance(methods, list) and "client_secret_basic" in methods,
        names_issuer=record.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(record: Mapping[str, Any], name: str, *, is_needed: bool = True) -> str:
    url = record.get(name)
    if isinstance(url, str) and is_private(url):
        return url
    if is_needed:
        raise OutOfReachError(texts.LACKS, name=name)
    return ""


async def fetch_keys(oidc: OidcSettings, description: Description) -> list[WebKey]:
    """The keys that it signs with.

    Raises:
        OutOfReachError: it does not answer, or has none.
    """
    url = description.jwks_uri
    answer = await ask(oidc, Asked(url=url))
    if answer.status != 200:
        raise OutOfReachError(texts.STATUS, url=url, status=answer.status)
    items = answer.record.get("keys")
    keys = []
    for item in items[:KEYS_MAX] if isinstance(items, list) else []:
        try:
            keys.append(WebKey(item if isinstance(item, dict) else {}))
        except ValueError:
            # One for encryption, or of a kind that nobody here knows.
            continue
    if not keys:
        raise OutOfReachError(texts.NO_KEYS, url=url)
    return keys


class Provider:
    """The one that is set, with what it said a while ago."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of: tuple[str, ...] = ()
        self._description: Description | None = None
        self._described_s = 0.0
        self._keys: list[WebKey] = []
        self._keys_s = 0.0

    async def description(self, oidc: OidcSettings) -> Description:
        """What it says of itself.

        Raises:
            OutOfReachError: it does not answer, or is not what it should be.
        """
        now_s = self._clock.monotonic_s()
        if self._of != oidc.destination:
            self._of, self._description, self._keys = oidc.destination, None, []
        if self._description is None or now_s - self._described_s >= FRESH_S:
            self._description = await describe(oidc)
            self._described_s = now_s
        return self._description

    async def candidates(self, oidc: OidcSettings, header: Header) -> list[WebKey]:
        """The keys that a token may have been signed with.

        Raises:
            OutOfReachError: it does not answer, or has none.
        """
        description = await self.description(oidc)
        found = self._named(header)
        age_s = self._clock.monotonic_s() - self._keys_s
        if not self._keys or age_s >= FRESH_S or (not found and age_s >= HURRY_S):
            self._keys = await fetch_keys(oidc, description)
            self._keys_s = self._clock.monotonic_s()
        return self._named(header)

    def _named(self, header: Header) -> list[WebKey]:
        if header.key_id is None:
            return self._keys
        return [key for key in self._keys if key.key_id in {header.key_id, None}]
