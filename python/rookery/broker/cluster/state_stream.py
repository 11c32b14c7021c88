"""The stream of NATS that the replicated state is in: the last version of each row, by subjects.

What this needs of JetStream it asks in its own words, as the server has it: a row is written with the
sequence that its subject has to have, several rows are written as one (an atomic batch), and who
follows the stream is pushed whatever comes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from rookery.broker.cluster.bus import Body, Bus
from rookery.errors import RookeryError, TimedOutError, UnavailableError

API_WAIT_S = 1.5
BATCH_MAX = 1000
"""Most rows of one change, by the server's own bound."""
HEARTBEAT_S = 2.0
SILENCE_S = 5.0
REPLICAS_MAX = 3
_PENDING_MESSAGES_MAX = 200_000
_PENDING_BYTES_MAX = 256 << 20
_NANO = 1_000_000_000
_WRONG_LAST = frozenset({10071, 10164})
_NOT_FOUND = 404
_TOO_FEW_SERVERS = frozenset({10005, 10074})
"""No suitable peers for placement; more than one replica in non-clustered mode."""


class OutdatedError(RookeryError):
    """A subject has another last sequence than the writer knows."""


class NotFollowedError(UnavailableError):
    """What was followed is not heard any more, or not without a gap."""


class Write(NamedTuple):
    """A row to write.

    Attributes:
        subject: Where.
        body: What.
        last: The sequence that the subject has to have; 0: none.
        ttl_s: How long it is kept; none: until the next.
    """

    subject: str
    body: Body
    last: int | None = None
    ttl_s: int | None = None


class Entry(NamedTuple):
    """A row as it was written."""

    subject: str
    sequence: int
    body: Body
    pending: int = 0


class StateStream:
    """The stream of one cluster."""

    def __init__(self, bus: Bus, cluster: str, *, is_own: bool = True) -> None:
        """``is_own``: NATS runs beside the nodes, so there are as many servers as nodes."""
        self._bus = bus
        self._is_own = is_own
        self.name = "rookery_state_" + re.sub(r"[^A-Za-z0-9_-]", "_", cluster)
        self.prefix = f"rookery.{cluster}.state"

    async def last_sequence(self) -> int | None:
        """Of the whole stream; none when there is no stream."""
        try:
            found = await self._api(f"STREAM.INFO.{self.name}")
        except _ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return int(found["state"]["last_seq"])

    async def ensure(self, nodes: int) -> None:
        """Have the stream, on as many nodes as a cluster of that many can."""
        wanted = self._config(min(nodes, REPLICAS_MAX))
        try:
            found = await self._api(f"STREAM.INFO.{self.name}")
        except _ApiError as error:
            if error.status != _NOT_FOUND:
                raise
            await self._create(wanted)
            return
        # How many servers others have, and what they want of them, is their affair.
        if self._is_own and found["config"]["num_replicas"] != wanted["num_replicas"]:
            await self._api(f"STREAM.UPDATE.{self.name}", wanted)

    async def _create(self, wanted: Body) -> None:
        if self._is_own:
            await self._api(f"STREAM.CREATE.{self.name}", wanted)
            return
        try:
            await self._api(f"STREAM.CREATE.{self.name}", self._config(REPLICAS_MAX))
        except _ApiError as error:
            if error.number not in _TOO_FEW_SERVERS:
                raise
            await self._api(f"STREAM.CREATE.{self.name}", self._config(1))

    def _config(self, replicas: int) -> Body:
        return {
            "name": self.name,
            "subjects": [f"{self.prefix}.>"],
            "retention": "limits",
            "storage": "file",
            "num_replicas": replicas,
            "max_msgs_per_subject": 1,
            "max_consumers": -1,
            "max_msgs": -1,
            "max_bytes": -1,
            "discard": "old",
            "allow_msg_ttl": True,
            "allow_atomic": True,
        }

    async def purge(self) -> None:
        """Forget everything in it."""
        await self._api(f"STREAM.PURGE.{self.name}")

    async def last(self, subject: str) -> Entry | None:
        """What stands under a subject."""
        try:
            found = await self._api(f"STREAM.MSG.GET.{self.name}", {"last_by_subj": subject})
        except _ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        message = found["message"]
        body = self._bus.opened(subject, base64.b64decode(message.get("data", "")))
        return Entry(subject, int(message["seq"]), body or {})

    async def put(self, writes: Sequence[Write]) -> list[int]:
        """Write all of them or none, at most :data:`BATCH_MAX`; their sequences.

        Raises:
            OutdatedError: a subject has another last sequence.
            UnavailableError: it was not confirmed.
            TimedOutError: likewise.
        """
        batch = uuid.uuid4().hex
        acknowledged: Body = {}
        for number, write in enumerate(writes, 1):
            headers = _headers(write)
            is_last = number == len(writes)
            if len(writes) > 1:
                headers |= {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
                if is_last:
                    headers["Nats-Batch-Commit"] = "1"
            payload = self._bus.sealed(write.subject, write.body)
            if is_last or number == 1:
                acknowledged = await self._request(write.subject, payload, headers)
            else:
                await self._bus.client.publish(write.subject, payload, headers=headers)
        end = int(acknowledged["seq"])
        return list(range(end - len(writes) + 1, end + 1))

    async def follow(self, start: int) -> Following:
        """Be pushed everything from that sequence on."""
        client = self._bus.client
        inbox = client.new_inbox()
        subscription = await client.subscribe(
            inbox,
            pending_msgs_limit=_PENDING_MESSAGES_MAX,
            pending_bytes_limit=_PENDING_BYTES_MAX,
        )
        config = {
            "deliver_subject": inbox,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": max(1, start),
            "ack_policy": "none",
            "replay_policy": "instant",
            "flow_control": True,
            "idle_heartbeat": int(HEARTBEAT_S * _NANO),
            "inactive_threshold": 30 * _NANO,
            "mem_storage": True,
            "num_replicas": 1,
        }
        body = {"stream_name": self.name, "config": config}
        try:
            await self._api(f"CONSUMER.CREATE.{self.name}", body)
        except BaseException:
            await _unsubscribe(subscription)
            raise
        return Following(self._bus, subscription)

    async def _api(self, what: str, body: Body | None = None) -> Any:
        payload = b"" if body is None else json.dumps(body).encode()
        return await self._request(f"$JS.API.{what}", payload, None)

    async def _request(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> Any:
        try:
            answer = await self._bus.client.request(
                subject, payload, timeout=API_WAIT_S, headers=headers
            )
        except nats.errors.NoRespondersError:
            raise UnavailableError("JetStream has no leader, or does not run") from None
        except (nats.errors.TimeoutError, TimeoutError):
            raise TimedOutError(f"JetStream did not answer within {API_WAIT_S:g} s") from None
        except (nats.errors.Error, OSError) as error:
            raise UnavailableError(f"NATS: {error}") from None
        if not answer.data:
            return {}  # The first of a batch is only let in.
        plain = json.loads(answer.data)
        if refused := plain.get("error"):
            if refused.get("err_code") in _WRONG_LAST:
                raise OutdatedError(str(refused.get("description")))
            raise _ApiError(refused)
        return plain


class Following:
    """What is pushed, in order and without a gap."""

    def __init__(self, bus: Bus, subscription: Subscription) -> None:
        self._bus = bus
        self._subscription = subscription
        self._delivered = 0

    async def next(self, most: int) -> list[Entry]:
        """What came: at least one, and as many as are there.

        Raises:
            NotFollowedError: nothing is heard any more, or something was missed.
        """
        found: list[Entry] = []
        while not found or (len(found) < most and self._subscription.pending_msgs):
            try:
                message = await self._subscription.next_msg(timeout=SILENCE_S)
            except (nats.errors.Error, TimeoutError, OSError) as error:
                raise NotFollowedError(f"NATS is silent: {error}") from None
            if (entry := await self._entry(message)) is not None:
                found.append(entry)
        return found

    async def _entry(self, message: Msg) -> Entry | None:
        headers = message.headers or {}
        if headers.get("Status") == "100":
            await self._hear_heartbeat(message, headers)
            return None
        told = message.metadata
        self._delivered += 1
        if told.sequence.consumer != self._delivered:
            raise NotFollowedError("something of the replicated state was missed")
        body = self._bus.opened(message.subject, message.data)
        sequence, pending = told.sequence.stream, told.num_pending or 0
        return Entry(message.subject, sequence, {} if body is None else body, pending)

    async def _hear_heartbeat(self, message: Msg, headers: dict[str, str]) -> None:
        for subject in (message.reply, headers.get("Nats-Consumer-Stalled")):
            if subject:
                await self._bus.client.publish(subject)
        last = headers.get("Nats-Last-Consumer")
        if last is not None and int(last) != self._delivered:
            raise NotFollowedError("something of the replicated state was missed")

    async def close(self) -> None:
        await _unsubscribe(self._subscription)


class _ApiError(UnavailableError):
    """JetStream refuses."""

    def __init__(self, error: Body) -> None:
        super().__init__(f"JetStream: {error.get('description')}")
        self.status = error.get("code")
        self.number = error.get("err_code")


def _headers(write: Write) -> dict[str, str]:
    headers = {}
    if write.last is not None:
        headers["Nats-Expected-Last-Subject-Sequence"] = str(write.last)
    if write.ttl_s is not None:
        headers["Nats-TTL"] = f"{max(1, write.ttl_s)}s"
    return headers


async def _unsubscribe(subscription: Subscription) -> None:
    with contextlib.suppress(nats.errors.Error, OSError):
        await subscription.unsubscribe()
