"""What an ID token has to be: OpenID Connect Core 3.1.3.7."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from rookery.access.jwt.keys import Header, TokenError, WebKey

LEEWAY_S = 60
SUBJECT_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What it is compared with."""

    issuer: str
    client_id: str
    nonce: str
    now_s: int


def verified(
    token: str, header: Header, keys: Sequence[WebKey], wanted: Wanted
) -> Mapping[str, Any]:
    """The claims of a token that the provider made for this sign-in.

    Raises:
        TokenError: it is none; says why.
    """
    claims = _signed(token, header, keys)
    if claims.get("iss") != wanted.issuer:
        raise TokenError("another issuer (iss)")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if wanted.client_id not in audiences:
        raise TokenError("it is for another client (aud)")
    party = claims.get("azp")
    if (party is not None or len(audiences) > 1) and party != wanted.client_id:
        raise TokenError("it was made for another client (azp)")
    _check_times(claims, wanted.now_s)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), wanted.nonce.encode()):
        raise TokenError("it belongs to another sign-in (nonce)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_MAX:
        raise TokenError("it does not say who that is (sub)")
    return claims


def _signed(token: str, header: Header, keys: Sequence[WebKey]) -> dict[str, Any]:
    reason = TokenError("no key of the provider fits its signature")
    for key in keys:
        try:
            return key.claims(token.encode(), header)
        except TokenError as error:
            reason = error
    raise reason


def _check_times(claims: Mapping[str, Any], now_s: int) -> None:
    expires, issued = claims.get("exp"), claims.get("iat")
    if not _is_number(expires) or expires + LEEWAY_S <= now_s:
        raise TokenError("it has expired (exp)")
    if not _is_number(issued) or issued - LEEWAY_S > now_s:
        raise TokenError("it is of the future (iat): compare the clocks")
    begins = claims.get("nbf")
    if begins is not None and (not _is_number(begins) or begins - LEEWAY_S > now_s):
        raise TokenError("it does not hold yet (nbf)")


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
