"""``jwt``: a token says who a client is, what it may do and for how long."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rookery.access import profile
from rookery.access.errors import AccessError, SettingError, Words
from rookery.access.health import Health
from rookery.access.http_service import HttpSettings
from rookery.access.jwt.jwks import KeySet
from rookery.access.jwt.keys import (
    FixedKey,
    Header,
    TokenError,
    header_of,
    public_key,
    secret_key,
)
from rookery.access.request import AuthRequest
from rookery.access.seldom import SeldomLog
from rookery.access.templates import MissingValueError, Template
from rookery.access.verdict import Admit, Ignore, Opinion, Refuse
from rookery.clock import Clock
from rookery.types import Secret

_logger = logging.getLogger(__name__)

_KNOWN = frozenset({"clientid", "username", "cert_common_name", "cert_subject"})
_TIMES = frozenset({"exp", "nbf", "iat"})

_NO_KEY = Words(
    "jwt: one of secret, public_key and use_jwks with endpoint is needed",
    "jwt：需要 secret、public_key 或 use_jwks 与 endpoint 之一",
)
_A_TIME = Words(
    "jwt: verify_claims: {name} is verified anyway", "jwt：verify_claims：{name} 总会被校验"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JwtSettings:
    """``mechanism = jwt``.

    Attributes:
        from_: Where in CONNECT the token is; EMQX calls it ``from``.
        secret: Shared secret of HS256, HS384 and HS512.
        secret_base64_encoded: Whether that is written in base64.
        public_key: PEM of a public key or certificate, or the path of its file.
        endpoint: Where the keys are fetched from (JWKS), if they are.
        refresh_interval_s: How often, seconds.
        verify_claims: Claims that must be there and have this value.
        acl_claim_name: The claim that holds rules.
        disconnect_after_expire: Whether the connection ends with the token. With rules in the token
            it always does: they are not to hold longer than the token.
    """

    from_: Literal["password", "username"] = "password"
    secret: Secret | None = None
    secret_base64_encoded: bool = False
    public_key: str | None = None
    endpoint: HttpSettings | None = None
    refresh_interval_s: float = 300.0
    verify_claims: Mapping[str, str] = field(default_factory=dict)
    acl_claim_name: str = "acl"
    disconnect_after_expire: bool = True


class JwtProvider:
    """Verifies tokens. One that no key of ours signed is none of ours: the next is asked."""

    id = "jwt"
    methods: tuple[str, ...] = ()

    def __init__(self, settings: JwtSettings, clock: Clock) -> None:
        """Load the key, or make ready to fetch it.

        Raises:
            SettingError: a setting makes no sense.
        """
        self._settings = settings
        self._clock = clock
        self._log = SeldomLog(_logger, clock)
        self._key: FixedKey | None = None
        self.key_set: KeySet | None = None
        if settings.endpoint is not None:
            self.key_set = KeySet(settings.endpoint, settings.refresh_interval_s, clock)
        elif settings.public_key is not None:
            self._key = public_key(settings.public_key)
        elif settings.secret is not None:
            self._key = secret_key(settings.secret, is_base64=settings.secret_base64_encoded)
        else:
            raise SettingError(_NO_KEY)
        for name in _TIMES.intersection(settings.verify_claims):
            raise SettingError(_A_TIME.format(name=name))
        self._expected = {
            name: Template(value, known=_KNOWN, where=f"jwt.verify_claims.{name}")
            for name, value in settings.verify_claims.items()
        }

    @property
    def health(self) -> Health | None:
        """Whether keys can be fetched; none where nothing is."""
        return None if self.key_set is None else self.key_set.health

    async def start(self) -> None:
        if self.key_set is not None:
            await self.key_set.start()

    async def stop(self) -> None:
        if self.key_set is not None:
            await self.key_set.stop()

    async def authenticate(self, request: AuthRequest) -> Opinion:
        token = request.password if self._settings.from_ == "password" else None
        if self._settings.from_ == "username" and request.username is not None:
            token = request.username.encode()
        if not token:
            return Ignore(f"no token in the {self._settings.from_}")
        try:
            claims = await self._verified(token, header_of(token))
        except TokenError as error:
            return Ignore(str(error))
        return self._opinion(claims, request)

    async def _verified(self, token: bytes, header: Header) -> dict[str, Any]:
        if self._key is not None:
            return self._key.claims(token, header)
        assert self.key_set is not None
        for key in await self.key_set.candidates(header):
            try:
                return key.claims(token, header)
            except TokenError:
                continue
        has_keys = self.key_set.has_keys
        raise TokenError("no key of the endpoint signed it" if has_keys else "no keys yet")

    def _opinion(self, claims: dict[str, Any], request: AuthRequest) -> Opinion:
        problem = self._problem(claims, request)
        if problem:
            return Refuse(reason=problem)
        settings = self._settings
        try:
            expire_at_ms = profile.expire_at_ms(claims, "exp", self._clock.now_ms())
            rules = profile.acl(claims, settings.acl_claim_name)
        except AccessError as error:
            self._log.warning("jwt: a token of %r cannot be used: %s", request.client_id, error)
            return Refuse(reason=f"the token cannot be used: {error}")
        ends = settings.disconnect_after_expire or rules is not None
        return Admit(
            is_superuser=profile.is_superuser(claims),
            client_attrs=profile.client_attrs(claims),
            expire_at_ms=expire_at_ms if ends else None,
            acl=rules,
            client_id_override=profile.client_id_override(claims),
            reason="the token is valid",
        )

    def _problem(self, claims: dict[str, Any], request: AuthRequest) -> str:
        """Why the claims are not those that are wanted; empty when they are."""
        not_before = claims.get("nbf")
        if isinstance(not_before, str) and not_before.isascii() and not_before.isdigit():
            not_before = int(not_before[:16])
        if not_before is not None:
            is_time = isinstance(not_before, int | float) and not isinstance(not_before, bool)
            if not is_time or not not_before * 1000 <= self._clock.now_ms():
                return "the token does not hold yet"
        for name, template in self._expected.items():
            if name not in claims:
                return f"the claim {name} is missing"
            try:
                expected = template.render(request.variable, missing=None)
            except MissingValueError as error:
                return f"the client has no {error.name}"
            if not _is(claims[name], expected, is_audience=name == "aud"):
                return f"the claim {name} is another one"
        return ""


def _is(value: object, expected: str, *, is_audience: bool) -> bool:
    if is_audience and isinstance(value, list):
        return bool(expected) and expected in value
    if isinstance(value, bool):
        value = "true" if value else "false"
    return isinstance(value, str | int) and str(value) == expected
