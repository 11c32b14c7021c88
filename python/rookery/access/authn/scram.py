"""``scram:built_in_database``: the password is proven and never sent.

An exchange takes two messages of the client. Between them its state is kept here: one for each
connection, so many in all, none longer than a minute.

A client that names a user in CONNECT must be that user: rules look at CONNECT's User Name.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from rookery.access.request import AuthRequest, ConversationKey
from rookery.access.scram.messages import (
    METHODS,
    ClientFirst,
    ScramError,
    expected_binding,
    is_proven,
    parse_client_final,
    parse_client_first,
    server_final,
    server_first,
)
from rookery.access.seldom import SeldomLog
from rookery.access.users.models import ScramAlgorithm, ScramUser
from rookery.access.users.store import UserStore
from rookery.access.verdict import Admit, Continue, Ignore, Opinion, Refuse
from rookery.clock import Clock
from rookery.errors import UnavailableError

_logger = logging.getLogger(__name__)

CONVERSATIONS_MAX = 8192
CONVERSATION_S = 60.0
NONCE_BYTES = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramSettings:
    """``mechanism = scram, backend = built_in_database``.

    Attributes:
        algorithm: Hash function, which is part of the method's name.
        iteration_count: Iterations for new users.
    """

    algorithm: ScramAlgorithm = "sha256"
    iteration_count: int = 4096


@dataclass(frozen=True, slots=True)
class _Conversation:
    """What has to be remembered between the two messages."""

    first: ClientFirst
    user: ScramUser
    is_decoy: bool
    server_first: str
    nonce: str
    since_s: float


class ScramProvider:
    """Answers the exchanges of one method."""

    id = "scram:built_in_database"

    def __init__(
        self,
        settings: ScramSettings,
        store: UserStore,
        clock: Clock,
        *,
        new_nonce: Callable[[], str] = lambda: secrets.token_urlsafe(NONCE_BYTES),
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._log = SeldomLog(_logger, clock)
        self._new_nonce = new_nonce
        self._decoy_key = secrets.token_bytes(32)
        self._conversations: OrderedDict[ConversationKey, _Conversation] = OrderedDict()
        self.given_up = 0  # exchanges that had to give way to others
        self.methods = tuple(
            name for name, algorithm in METHODS.items() if algorithm == settings.algorithm
        )

    async def start(self) -> None:
        """Nothing is open."""

    async def stop(self) -> None:
        self._conversations.clear()

    async def authenticate(self, request: AuthRequest) -> Opinion:
        try:
            if request.is_step:
                return self._second(request)
            return await self._first(request)
        except ScramError as error:
            self._conversations.pop(request.conversation, None)
            return Refuse(reason=str(error))
        except UnavailableError as error:
            self._log.warning("users cannot be read: %s", error)
            return Ignore("the user store cannot be read")

    async def _first(self, request: AuthRequest) -> Opinion:
        first = parse_client_first(request.data or b"")
        if request.username is not None and request.username != first.user:
            raise ScramError("the user name of CONNECT is another one")
        now_s = self._clock.monotonic_s()
        self._forget_old(now_s)
        user = await self._store.get_scram(self._settings.algorithm, first.user)
        is_decoy = user is None
        user = user or self._decoy(first.user)
        nonce = first.nonce + self._new_nonce()
        answer = server_first(nonce, user.salt, user.iterations)
        self._conversations.pop(request.conversation, None)
        if len(self._conversations) >= CONVERSATIONS_MAX:
            # The oldest gives way: who means it answers within a moment, who only takes places
            # must not be able to keep them.
            self._conversations.popitem(last=False)
            self.given_up += 1
        self._conversations[request.conversation] = _Conversation(
            first, user, is_decoy, answer, nonce, now_s
        )
        return Continue(answer.encode())

    def _forget_old(self, now_s: float) -> None:
        """They stand in the order in which they began."""
        while self._conversations:
            oldest = next(iter(self._conversations.values()))
            if now_s - oldest.since_s < CONVERSATION_S:
                return
            self._conversations.popitem(last=False)

    def _decoy(self, user: str) -> ScramUser:
        """Somebody who does not exist, but answers like somebody who does, and always alike."""
        algorithm = self._settings.algorithm
        seed = hmac.digest(self._decoy_key, user.encode(), "sha512")
        key = hashlib.new(algorithm, secrets.token_bytes(32)).digest()
        return ScramUser(
            user_id=user,
            algorithm=algorithm,
            salt=seed[:16],
            iterations=self._settings.iteration_count,
            stored_key=key,
            server_key=key,
        )

    def _second(self, request: AuthRequest) -> Opinion:
        conversation = self._conversations.pop(request.conversation, None)
        if (
            conversation is None
            or self._clock.monotonic_s() - conversation.since_s >= CONVERSATION_S
        ):
            raise ScramError("no exchange was begun")
        final = parse_client_final(request.data or b"")
        first, user = conversation.first, conversation.user
        if final.nonce != conversation.nonce:
            raise ScramError("another nonce")
        if final.binding != expected_binding(first.header):
            raise ScramError("another channel binding")
        message = f"{first.bare},{conversation.server_first},{final.without_proof}"
        is_right = is_proven(user.algorithm, user.stored_key, message, final.proof)
        if conversation.is_decoy or not is_right:
            raise ScramError("wrong password or unknown user")
        return Admit(
            is_superuser=user.is_superuser,
            auth_data=server_final(user.algorithm, user.server_key, message),
            reason=f"user {user.user_id}",
        )
