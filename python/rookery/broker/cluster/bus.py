"""Messages between the management planes of nodes, over a connection to NATS.

Everything is signed with a key of the cookie and dropped, counted, when it is not: also where others
use the same NATS. Nothing waits without an end, and what comes in faster than it is handled is
dropped by the bound of its subscription.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeAlias

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from rookery.broker.cluster.keys import Signer
from rookery.ending import ended
from rookery.errors import TimedOutError, UnavailableError

CONNECT_WAIT_S = 5.0
CLOSE_WAIT_S = 1.0
AGAIN_FIRST_S = 0.5
AGAIN_LAST_OWN_S = 2.0
AGAIN_LAST_S = 30.0
PENDING_MESSAGES_MAX = 4096
PENDING_BYTES_MAX = 64 << 20
ANSWERING_MAX = 256
"""Most questions that wait here at once; whoever asks one more gets no answer."""

_log = logging.getLogger("rookery.cluster")

Body: TypeAlias = dict[str, Any]
Heard: TypeAlias = Callable[[Body], Awaitable[None]]
Asked: TypeAlias = Callable[[Body], Awaitable[Body]]


class Access(NamedTuple):
    """How to reach NATS."""

    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = None
    token: str | None = None
    tls: ssl.SSLContext | None = None
    is_own: bool = True
    """Whether it is the child of this node, whose end another part sees."""


class Bus:
    """One connection at a time, for as long as :meth:`keep` runs."""

    def __init__(self, cluster: str, name: str, signer: Signer) -> None:
        self._prefix = f"rookery.{cluster}"
        self._name = name
        self._signer = signer
        self._client: Client | None = None
        self._heard: dict[str, Heard] = {}
        self._asked: dict[str, Asked] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self.connections = 0
        self._ended = asyncio.Event()
        self.unsigned = 0
        self.left_out = 0
        self.last_error = ""

    def on(self, topic: str, heard: Heard) -> None:
        """Call ``heard`` with what anybody tells all nodes under ``topic``."""
        self._heard[f"{self._prefix}.all.{topic}"] = heard

    def answer(self, topic: str, asked: Asked) -> None:
        """Answer what this node is asked under ``topic``."""
        self._asked[self._own(self._name, topic)] = asked

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def client(self) -> Client:
        """The connection.

        Raises:
            UnavailableError: there is none.
        """
        client = self._client
        if client is None or not client.is_connected:
            raise UnavailableError(f"no connection to NATS: {self.last_error or 'not yet'}")
        return client

    async def keep(self, access: Access, connected: Callable[[], Awaitable[None]]) -> None:
        """Be connected, and again after each end of a connection, until cancelled.

        NATS ends one that was silent for seconds, as that of a node is which had no processor or
        whose machine slept; whoever did not come back would be deaf for good.
        """
        last_s = AGAIN_LAST_OWN_S if access.is_own else AGAIN_LAST_S
        wait_s, told = AGAIN_FIRST_S, ""
        try:
            while True:
                try:
                    await self._connect(access)
                except UnavailableError as error:
                    if told != error.message:
                        _log.warning("%s; this node tries again", error)
                    told = error.message
                    await asyncio.sleep(wait_s)
                    wait_s = min(wait_s * 2, last_s)
                    continue
                wait_s, told = AGAIN_FIRST_S, ""
                await connected()
                await self._ended.wait()
                # Where the server ended, whoever runs it says so meanwhile and cancels this.
                await asyncio.sleep(wait_s)
                _log.warning("the connection to NATS ended (%s); making it again", self.last_error)
        finally:
            await self.disconnect()

    async def _connect(self, access: Access) -> None:
        await self.disconnect()
        self._ended.clear()
        try:
            client = await nats.connect(
                servers=list(access.servers),
                name=self._name,
                user=access.user,
                password=access.password,
                token=access.token,
                tls=access.tls,
                connect_timeout=int(CONNECT_WAIT_S),
                allow_reconnect=not access.is_own,
                max_reconnect_attempts=-1 if not access.is_own else 1,
                ping_interval=2,
                max_outstanding_pings=2,
                error_cb=self._note,
                closed_cb=self._note_end,
            )
            self._client = client
            for subject in self._heard:
                await self._subscribe(client, subject, self._hear)
            for subject in self._asked:
                await self._subscribe(client, subject, self._reply)
            await client.flush()
            self.connections += 1
        except (OSError, EOFError, ValueError, nats.errors.Error) as error:
            self.last_error = str(error) or type(error).__name__
            raise UnavailableError(f"NATS: {self.last_error}") from None

    async def _subscribe(
        self, client: Client, subject: str, called: Callable[[Msg], Awaitable[None]]
    ) -> None:
        await client.subscribe(
            subject,
            cb=called,
            pending_msgs_limit=PENDING_MESSAGES_MAX,
            pending_bytes_limit=PENDING_BYTES_MAX,
        )

    async def disconnect(self) -> None:
        """Leave NATS; :meth:`keep` does not come back from that. May be called twice."""
        client, self._client = self._client, None
        if client is None:
            return
        # A server that takes nothing would hold it up for ever.
        closing = asyncio.get_running_loop().create_task(client.close())
        _, late = await asyncio.wait({closing}, timeout=CLOSE_WAIT_S)
        if late:
            await ended("a connection that NATS does not let go", closing)
        else:
            with contextlib.suppress(OSError, nats.errors.Error, TimeoutError):
                closing.result()

    async def tell(self, topic: str, body: Body) -> None:
        """Send to all nodes, also this one; without a connection to nobody."""
        subject = f"{self._prefix}.all.{topic}"
        client = self._client
        if client is None or not client.is_connected:
            await self._note_end()
            return
        with contextlib.suppress(nats.errors.Error, OSError):
            await client.publish(subject, self.sealed(subject, body))

    async def flush(self, within_s: float) -> None:
        """Wait until NATS has what was sent."""
        if self._client is not None:
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
                await self._client.flush(timeout=max(1, int(within_s)))

    async def ask(self, name: str, topic: str, body: Body, within_s: float) -> Body:
        """What the node of that name answers.

        Raises:
            UnavailableError: it cannot be reached from here.
            TimedOutError: it did not answer in time.
        """
        client = self.client
        subject = self._own(name, topic)
        try:
            message = await client.request(subject, self.sealed(subject, body), timeout=within_s)
        except nats.errors.NoRespondersError:
            raise UnavailableError(f"node {name} is not reachable") from None
        except (nats.errors.TimeoutError, TimeoutError):
            raise TimedOutError(f"node {name} did not answer within {within_s:g} s") from None
        except (nats.errors.Error, OSError) as error:
            raise UnavailableError(f"node {name}: {error}") from None
        # Bound to the question: an answer to another cannot stand for it.
        answer = self.opened(f"{subject} answer", message.data)
        if answer is None:
            raise UnavailableError(f"node {name} answered with another cookie")
        return answer

    def _own(self, name: str, topic: str) -> str:
        token = hashlib.sha256(name.encode()).hexdigest()[:24]
        return f"{self._prefix}.node.{token}.{topic}"

    def sealed(self, subject: str, body: Body) -> bytes:
        """A body, signed for that subject."""
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        return self._signer.seal(subject, text.encode())

    def opened(self, subject: str, data: bytes) -> Body | None:
        """What was signed for that subject; none, counted, when it was not."""
        body = self._signer.open(subject, data)
        if body is None:
            self.unsigned += 1
            return None
        try:
            plain = json.loads(body)
        except ValueError:
            return None
        return plain if isinstance(plain, dict) else None

    async def _hear(self, message: Msg) -> None:
        body = self.opened(message.subject, message.data)
        if body is not None:
            await self._heard[message.subject](body)

    async def _reply(self, message: Msg) -> None:
        """Not in turn: an answer that takes its time holds up no other."""
        if len(self._answering) >= ANSWERING_MAX:
            self.left_out += 1
            return
        task = asyncio.get_running_loop().create_task(self._answer(message))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, message: Msg) -> None:
        subject = message.subject
        body = self.opened(subject, message.data)
        if body is None or not message.reply:
            return
        answer = await self._asked[subject](body)
        client = self._client
        if client is not None and client.is_connected:
            with contextlib.suppress(nats.errors.Error, OSError):
                await client.publish(message.reply, self.sealed(f"{subject} answer", answer))

    async def _note_end(self) -> None:
        """Also asked by whoever tells something: a client that fails while it closes calls nobody."""
        if self._client is not None and self._client.is_closed:
            self._ended.set()

    async def _note(self, error: Exception) -> None:
        self.last_error = str(error) or type(error).__name__
        level = (
            logging.DEBUG if isinstance(error, (OSError, asyncio.TimeoutError)) else logging.INFO
        )
        _log.log(level, "NATS: %s", self.last_error)
