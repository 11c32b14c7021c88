"""Signs people in whom a provider knows.

The browser keeps a random binding; of it and the state the nonce and the PKCE verifier are worked out, so that
a code that comes back in another browser is of no use there.

**Who gets in.** An account that was here before; a user whose address the provider has verified; somebody with
an open invitation to such an address, who becomes a user by it. Nobody else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.access.jwt.keys import TokenError, header_of
from rookery.clock import Clock
from rookery.control.accounts import store as accounts
from rookery.control.accounts.invitations import Invitations, Taker
from rookery.control.accounts.proofs import may_be_proven, prove
from rookery.control.accounts.secrets import digest, new_token
from rookery.control.accounts.sessions import Sessions, SignedIn
from rookery.control.accounts.store import User
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access, Caller
from rookery.control.errors import DeniedError, InvalidError
from rookery.control.oidc import settings, store, texts
from rookery.control.oidc.id_token import Wanted, verified
from rookery.control.oidc.provider import Description, Provider
from rookery.control.oidc.settings import OidcSettings
from rookery.control.oidc.store import Attempt, Identity
from rookery.control.oidc.web import Asked, ask
from rookery.control.settings import address as access_address
from rookery.control.tenancy.permissions import Resource
from rookery.control.vault import Vault
from rookery.storage.database import Database
from rookery.storage.ids import new_id

CALLBACK = "/oidc/callback"
PROVIDER = "oidc"
ATTEMPT_MS = 10 * 60_000
ATTEMPTS_MAX = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """A browser that came back from the provider."""

    state: str
    code: str
    binding: str
    issuer: str | None
    address: str
    user_agent: str


class _Person(NamedTuple):
    subject: str
    email: str
    is_verified: bool
    name: str


class Oidc:
    """Of one process; what is under way is in the database."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditTrail,
        vault: Vault,
        sessions: Sessions,
        invitations: Invitations,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._vault = vault
        self._sessions = sessions
        self._invitations = invitations
        self._provider = Provider(clock)

    async def begin(self, binding: str) -> str:
        """Where the browser goes to sign in.

        Raises:
            InvalidError: there is no provider.
            OutOfReachError: it does not answer.
        """
        oidc, address = await self._settings()
        description = await self._provider.description(oidc)
        state = new_token()
        async with self._database.write() as session:
            await self._make_room(session)
            session.add(
                Attempt(
                    state_hash=digest(state),
                    binding_hash=digest(binding),
                    expires_at=self._clock.now_ms() + ATTEMPT_MS,
                )
            )
        challenge = hashlib.sha256(_derived(binding, state, "verifier").encode()).digest()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": oidc.client_id,
                "redirect_uri": address + CALLBACK,
                "scope": oidc.scopes,
                "state": state,
                "nonce": _derived(binding, state, "nonce"),
                "code_challenge": _text(challenge),
                "code_challenge_method": "S256",
            }
        )
        endpoint = description.authorization_endpoint
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    async def finish(self, back: Back) -> SignedIn:
        """Sign in whom the provider sent back.

        Raises:
            InvalidError: that is no sign-in of this browser, or what the provider says will not do.
            DeniedError: nobody here is that one.
            OutOfReachError: the provider does not answer.
            UnknownCallerError: that user is disabled.
        """
        await self._take_attempt(back)
        oidc, address = await self._settings()
        description = await self._provider.description(oidc)
        issuer = back.issuer
        # RFC 9207: an answer of another provider is not mixed up with one of this.
        if issuer != oidc.issuer and (issuer is not None or description.names_issuer):
            raise InvalidError(texts.BAD_TOKEN, reason="another issuer (iss)")
        tokens = await self._tokens(oidc, description, back, address + CALLBACK)
        person = await self._person(oidc, description, tokens, back)
        async with self._database.write() as session:
            user = await self._user(session, oidc, person, back.address)
            return await self._sessions.sign_in_known(
                session, user, PROVIDER, back.address, back.user_agent
            )

    async def drop_expired(self) -> None:
        """Forget sign-ins that nobody came back from."""
        async with self._database.write() as session:
            await session.execute(delete(Attempt).where(Attempt.expires_at <= self._clock.now_ms()))

    async def _settings(self) -> tuple[OidcSettings, str]:
        async with self._database.read() as session:
            oidc = await settings.read(session, self._vault)
            address = await access_address.read(session)
        if oidc is None:
            raise InvalidError(texts.OFF)
        return oidc, address

    async def _make_room(self, session: AsyncSession) -> None:
        """Anybody may begin: the oldest give way."""
        if (await session.scalar(select(func.count()).select_from(Attempt)) or 0) < ATTEMPTS_MAX:
            return
        oldest = select(Attempt.state_hash).order_by(Attempt.expires_at).limit(ATTEMPTS_MAX // 10)
        await session.execute(
            delete(Attempt).where(Attempt.state_hash.in_(list(await session.scalars(oldest))))
        )

    async def _take_attempt(self, back: Back) -> None:
        async with self._database.write() as session:
            row = await session.get(Attempt, digest(back.state), with_for_update=True)
            known = None if row is None else (row.binding_hash, row.expires_at)
            if row is not None:
                await session.delete(row)
        if (
            known is None
            or known[1] <= self._clock.now_ms()
            or not hmac.compare_digest(known[0], digest(back.binding))
        ):
            raise InvalidError(texts.ENDED)

    async def _tokens(
        self, oidc: OidcSettings, description: Description, back: Back, redirect_uri: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": back.code,
            "redirect_uri": redirect_uri,
            "code_verifier": _derived(back.binding, back.state, "verifier"),
        }
        headers = {}
        secret = oidc.client_secret.reveal()
        if secret and description.is_basic:
            # RFC 6749 2.3.1: each is form-encoded first.
            pair = f"{quote(oidc.client_id, safe='')}:{quote(secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = oidc.client_id
            if secret:
                form["client_secret"] = secret
        url = description.token_endpoint
        answer = await ask(oidc, Asked(url=url, form=form, headers=headers))
        if answer.status != 200:
            raise InvalidError(texts.REFUSED, reason=_refusal(answer.record, answer.status))
        return answer.record

    async def _person(
        self,
        oidc: OidcSettings,
        description: Description,
        tokens: Mapping[str, Any],
        back: Back,
    ) -> _Person:
        token = tokens.get("id_token")
        try:
            if not isinstance(token, str):
                raise TokenError("there is none")
            header = header_of(token.encode())
            keys = await self._provider.candidates(oidc, header)
            claims = verified(
                token,
                header,
                keys,
                Wanted(
                    issuer=oidc.issuer,
                    client_id=oidc.client_id,
                    nonce=_derived(back.binding, back.state, "nonce"),
                    now_s=self._clock.now_ms() // 1000,
                ),
            )
        except TokenError as error:
            raise InvalidError(texts.BAD_TOKEN, reason=error) from None
        bearer = tokens.get("access_token")
        if claims.get("email") is None and description.userinfo_endpoint and bearer is not None:
            claims = await self._with_userinfo(oidc, description, claims, str(bearer))
        name, email = claims.get("name"), claims.get("email")
        return _Person(
            subject=str(claims["sub"]),
            email=email.strip().lower() if isinstance(email, str) else "",
            # Some write it as text.
            is_verified=claims.get("email_verified") in {True, "true"},
            name=name[:100] if isinstance(name, str) else "",
        )

    async def _with_userinfo(
        self,
        oidc: OidcSettings,
        description: Description,
        claims: Mapping[str, Any],
        bearer: str,
    ) -> Mapping[str, Any]:
        headers = {"authorization": f"Bearer {bearer}"}
        answer = await ask(oidc, Asked(url=description.userinfo_endpoint, headers=headers))
        # OpenID Connect Core 5.3.2: of somebody else it is not to be used.
        if answer.status != 200 or answer.record.get("sub") != claims["sub"]:
            return claims
        told = {name: answer.record.get(name) for name in ("email", "email_verified", "name")}
        return {**claims, **told}

    async def _user(
        self, session: AsyncSession, oidc: OidcSettings, person: _Person, address: str
    ) -> User:
        domain = person.email.rpartition("@")[2]
        if oidc.domains and domain not in oidc.domains:
            raise DeniedError(texts.DOMAIN, domain=domain or "?")
        known = await store.identity(session, oidc.issuer, person.subject)
        if known is not None:
            user = await session.get(User, known.user_id)
            assert user is not None
            return user
        if not person.email:
            raise DeniedError(texts.NO_EMAIL)
        if not person.is_verified:
            raise DeniedError(texts.UNVERIFIED, email=person.email)
        user = await accounts.user_by_email(session, person.email)
        if user is not None and oidc.issuer in await store.issuers_of(session, user.id):
            raise DeniedError(texts.BOUND, email=person.email)
        if user is None or may_be_proven(user):
            user = await self._proven(session, person, user, address)
        self._bind(session, oidc, person, user, address)
        return user

    async def _proven(
        self, session: AsyncSession, person: _Person, user: User | None, address: str
    ) -> User:
        """Who is invited, or whose account somebody made: the address is verified, so it is that one."""
        rows = await self._invitations.open_for(session, person.email)
        if rows:
            language = rows[0].language if user is None else user.language
            taker = Taker(stored="", name=person.name, language=language, address=address)
            return await self._invitations.take(session, rows, taker, "openid")
        if user is None:
            raise DeniedError(texts.NOT_INVITED, email=person.email)
        caller = Caller(id=user.id, name=user.email, via="session", address=address)
        now_ms = self._clock.now_ms()
        await prove(session, self._audit, Access(caller=caller), user, "openid", now_ms)
        return user

    def _bind(
        self,
        session: AsyncSession,
        oidc: OidcSettings,
        person: _Person,
        user: User,
        address: str,
    ) -> None:
        session.add(
            Identity(
                id=new_id(),
                user_id=user.id,
                issuer=oidc.issuer,
                subject=person.subject,
                created_at=self._clock.now_ms(),
            )
        )
        caller = Caller(id=user.id, name=user.email, via="session", address=address)
        self._audit.record(
            session,
            Access(caller=caller),
            Resource.USERS,
            "bindAccount",
            object_id=user.id,
            object_name=user.email,
            after={"issuer": oidc.issuer, "subject": person.subject},
        )


def _derived(binding: str, state: str, purpose: str) -> str:
    """43 characters, as PKCE wants them at least."""
    return _text(hmac.digest(binding.encode(), f"{purpose} {state}".encode(), "sha256"))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _refusal(record: Mapping[str, Any], status: int) -> str:
    said = [str(record[name]) for name in ("error", "error_description") if record.get(name)]
    return ": ".join(said)[:300] or str(status)
