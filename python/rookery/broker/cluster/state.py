"""What all nodes of a cluster have alike: users, rules of access, bans, administrators, API keys.

The last version of every row is in a stream of NATS (:mod:`~rookery.broker.cluster.state_stream`), and
every node keeps a copy in its own stores, which is what it works with. A change is written to the
stream first, with the revision that the row has here: it is made on all nodes or on none. Whoever
was away goes on from the last revision it has; only where that history is gone it takes everything.

**Where it begins.** A node that stands alone is the founder of whatever cluster it gets into by being
joined, and puts what it has into the stream; one that joins has what is there instead of its own.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import hashlib
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from rookery.broker.cluster.bus import Body, Bus
from rookery.broker.cluster.state_role import RoleFile
from rookery.broker.cluster.state_stream import (
    API_WAIT_S,
    BATCH_MAX,
    Entry,
    Following,
    OutdatedError,
    StateStream,
    Write,
)
from rookery.broker.cluster.texts import refusal
from rookery.ending import ended
from rookery.errors import RookeryError, TimedOutError, UnavailableError
from rookery.storage.replica import (
    ChangedElsewhereError,
    Mark,
    NotReplicatedError,
    Propose,
    Replica,
    Revised,
    Row,
)

READY_WAIT_S = 2.5
CONFIRM_WAIT_S = 4.0
"""Longest that a change waits until this node is in step, and for the other nodes then."""
RETRY_S = 0.5
SURE_S = 10.0
"""After so long without the others nobody is taken to be just starting."""
TAKEN_MAX = 1000
GONE_KEPT_S = 30 * 86_400
"""How long it is known that a row is gone: who was away for longer takes everything."""
ENDED_KEPT_S = 86_400
_DAY_MS = 86_400_000

_log = logging.getLogger("rookery.cluster.state")

Replicas = Callable[[], Sequence[Replica]]


class Judge(Protocol):
    """As of :meth:`Around.judge`."""

    def __call__(self, *, is_sure: bool) -> None: ...


class Around(NamedTuple):
    """What the state has to know of the node it is in.

    Attributes:
        members: The names of all members; one: the node stands alone.
        name: Of this node.
        now_ms: The time.
        replicas: The stores; asked once, when the node is first in a cluster.
        forget_left: Has JetStream count no more on nodes that left.
        judge: Looks whether enough nodes run; ``is_sure``: the state was not followed for a while.
    """

    members: Callable[[], Sequence[str]]
    name: str
    now_ms: Callable[[], int]
    replicas: Replicas
    forget_left: Callable[[], Awaitable[None]]
    judge: Judge


@dataclass(slots=True)
class _Doubt:
    """Whether a change may have been made although nobody said so."""

    is_there: bool = False


class State:
    """Keeps the stores of this node equal to those of the others, from :meth:`open` to :meth:`close`."""

    def __init__(
        self, bus: Bus, cluster: str, role: RoleFile, around: Around, *, is_own: bool
    ) -> None:
        """``is_own``: NATS runs beside the nodes."""
        self._bus = bus
        self._stream = StateStream(bus, cluster, is_own=is_own)
        self._seeded = f"{self._stream.prefix}.meta.seeded"
        self._role = role
        self._around = around
        self._replicas: dict[str, Replica] = {}
        self._is_attached = False
        self._is_joining = False
        self._ready = asyncio.Event()
        self._enough = asyncio.Event()
        self._enough.set()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop
        self._revision = 0
        self._problem = ""
        self._behind_since_s = 0.0
        self._lost: dict[str, int] = {}
        self.conflicts = 0
        self.refused = 0

    # -- life ------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())

    async def close(self) -> None:
        """Follow nobody any more; what a store still changes is refused. May be called twice."""
        if self._task is not None:
            task, self._task = self._task, None
            await ended("the replicated state", task)
        self._ready.clear()

    def wake(self) -> None:
        """Members or the connection to NATS are other ones."""
        self._woken.set()

    def judged(self, *, is_enough: bool) -> None:
        """Whether enough nodes run for changes, as far as is known."""
        if is_enough:
            self._enough.set()
        else:
            self._enough.clear()

    async def will_take(self) -> None:
        """This node joins: it will have what the others have instead of its own."""
        self._is_joining = True
        await asyncio.to_thread(self._role.keep, "joiner")
        self._ready.clear()

    def status(self) -> dict[str, Any] | None:
        """How it stands; none where nobody has to be followed."""
        if not self._is_attached:
            return None
        return {
            "in_step": self._ready.is_set(),
            "revision": self._revision,
            "problem": None if self._ready.is_set() else self._problem or None,
            "replaced": self._lost or None,
        }

    def followed(self) -> tuple[int, bool]:
        """The last change that is here, and whether that is all of it."""
        return self._revision, self._ready.is_set()

    def metrics(self) -> dict[str, int]:
        return {
            "cluster.state.conflicts": self.conflicts,
            "cluster.state.refused": self.refused,
            "cluster.state.revision": self._revision,
        }

    @property
    def is_joiner(self) -> bool:
        """Until it has taken everything."""
        return self._role.role == "joiner"

    @property
    def _is_alone(self) -> bool:
        return len(self._around.members()) <= 1

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                if self._is_alone:
                    await self._stand_alone()
                    await self._woken.wait()
                    continue
                await self._attach()
                await self._until_woken(self._follow())
            except (RookeryError, OSError) as error:
                self._note(error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), RETRY_S)
            except Exception:  # noqa: BLE001 - logged, and tried again
                # Without it the stores would stay as they are, unnoticed.
                _log.exception("the replicated state")
                await asyncio.sleep(RETRY_S)
            finally:
                self._ready.clear()

    def _note(self, error: Exception) -> None:
        now_s = self._loop.time()
        self._behind_since_s = self._behind_since_s or now_s
        if now_s - self._behind_since_s >= SURE_S:
            self._around.judge(is_sure=True)
        if str(error) != self._problem:
            self._problem = str(error)
            _log.info("the replicated state is not followed: %s", error)

    async def _until_woken(self, work: Any) -> None:
        """``work``, given up when the node stands alone or is connected anew meanwhile."""
        connection = self._bus.connections
        task = self._loop.create_task(work)
        try:
            while not task.done():
                woken = self._loop.create_task(self._woken.wait())
                try:
                    await asyncio.wait((task, woken), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    woken.cancel()
                if task.done():
                    break
                self._woken.clear()
                is_other = self._bus.connections != connection
                if self._is_alone or is_other or self._role.role == "joiner":
                    return
                await self._stream_fits()
            await task
        finally:
            await ended("following the replicated state", task)

    async def _stream_fits(self) -> None:
        """After members changed; whoever follows notices in any case when it fails."""
        await self._around.forget_left()
        if self._ready.is_set():
            with contextlib.suppress(RookeryError):
                await self._stream.ensure(len(self._around.members()))

    async def _stand_alone(self) -> None:
        if self._is_attached:
            for replica in self._replicas.values():
                await replica.close()
            self._is_attached = False
        self._lost = {}
        if not self._is_joining:
            await asyncio.to_thread(self._role.keep, "founder")

    async def _attach(self) -> None:
        self._is_joining = False
        if self._is_attached:
            return
        if not self._replicas:
            self._replicas = {replica.name: replica for replica in self._around.replicas()}
        for replica in self._replicas.values():
            await replica.open(self._until_ready, self._propose_for(replica.name))
        self._is_attached = True

    # -- following -------------------------------------------------------------------------

    async def _follow(self) -> None:
        if self._role.role == "joiner":
            _log.info("this node joins: it waits for what the cluster has")
        await self._around.forget_left()
        await self._stream.ensure(len(self._around.members()))
        seeded = await self._stream.last(self._seeded)
        if self._is_mine_to_seed(seeded):
            seeded = await self._seed()
        start = await self._start(seeded)
        following = await self._stream.follow(start)
        try:
            if start == 1:
                await self._take_everything(following)
            elif (await self._stream.last_sequence() or 0) < start:
                self._revision = start - 1
                self._in_step()
            await self._catch_up(following, "" if seeded is None else _origin(seeded))
        finally:
            await following.close()

    def _is_mine_to_seed(self, seeded: Entry | None) -> bool:
        if not self._replicas:
            return False
        if self._role.role == "founder":
            return True
        if seeded is not None or self._role.role == "joiner":
            return False
        # Of nodes that were members when all of it was lost, and have the same.
        return self._around.name == min(self._around.members())

    async def _start(self, seeded: Entry | None) -> int:
        """The first sequence that this node lacks; 1: everything."""
        if seeded is None or self._role.role == "joiner":
            return 1
        if not self._replicas:
            # A witness keeps nothing itself.
            return (await self._stream.last_sequence() or 0) + 1
        marks = [await replica.mark() for replica in self._replicas.values()]
        oldest_ms = self._around.now_ms() - GONE_KEPT_S * 1000 + _DAY_MS
        found = []
        for mark in marks:
            if mark is None or mark.origin != _origin(seeded) or mark.seen_ms < oldest_ms:
                return 1
            found.append(mark.revision)
        return min(found) + 1

    async def _seed(self) -> Entry:
        """Put what this node has into the stream."""
        await self._stream.purge()
        origin, first = uuid.uuid4().hex, 0
        adopted: dict[str, list[Revised]] = {}
        for name, replica in self._replicas.items():
            rows = await replica.rows()
            sequences: list[int] = []
            for some in _chunks(rows):
                writes = [self._write(name, row, None, origin) for row in some]
                sequences += await self._stream.put(writes)
            first = first or (sequences[0] if sequences else 0)
            adopted[name] = [Revised(row, now) for row, now in zip(rows, sequences, strict=True)]
        body = {"origin": origin, "first": first, "by": self._around.name}
        (revision,) = await self._stream.put([Write(self._seeded, body)])
        for name, replica in self._replicas.items():
            await replica.adopt(adopted[name], Mark(origin, revision, self._around.now_ms()))
        await asyncio.to_thread(self._role.keep, "member")
        counts = {name: len(rows) for name, rows in adopted.items()}
        _log.info("the cluster has what this node had: %s", counts)
        return Entry(self._seeded, revision, body)

    async def _take_everything(self, following: Following) -> None:
        found: dict[str, Entry] = {}
        while True:
            entries = await following.next(TAKEN_MAX)
            found |= {entry.subject: entry for entry in entries}
            seeded = found.get(self._seeded)
            if seeded is not None and entries[-1].pending == 0:
                break
        first = int(seeded.body.get("first") or seeded.sequence)
        last = max(entry.sequence for entry in found.values())
        mark = Mark(_origin(seeded), last, self._around.now_ms())
        rows = _by_store(entry for entry in found.values() if entry.sequence >= first)
        lost: dict[str, int] = {}
        for name, replica in self._replicas.items():
            lost |= await replica.replace(rows.get(name, []), mark)
        self._lost = lost
        await asyncio.to_thread(self._role.keep, "member")
        counts = {name: len(of) for name, of in rows.items()}
        _log.warning(
            "took over from the cluster: %s; of its own it lost: %s", counts, lost or "nothing"
        )
        self._revision = last
        self._in_step()

    async def _catch_up(self, following: Following, origin: str) -> None:
        while True:
            entries = await following.next(TAKEN_MAX)
            for entry in entries:
                if entry.subject != self._seeded:
                    continue
                if origin and _origin(entry) != origin:
                    raise UnavailableError("the replicated state began anew")
                origin = _origin(entry)
            last = entries[-1].sequence
            mark = Mark(origin, last, self._around.now_ms())
            for name, rows in _by_store(entries).items():
                if name in self._replicas:
                    await self._replicas[name].apply(rows, mark)
            self._revision = max(self._revision, last)
            if entries[-1].pending == 0:
                self._in_step()

    def _in_step(self) -> None:
        if not self._ready.is_set():
            _log.info("the replicated state is followed")
        self._problem, self._behind_since_s = "", 0.0
        self._ready.set()
        self._around.judge(is_sure=True)

    # -- changes of this node --------------------------------------------------------------

    def _propose_for(self, store: str) -> Propose:
        def propose(revised: Sequence[Revised]) -> list[int]:
            """On the thread that writes."""
            asked = self._propose(store, revised)
            future = asyncio.run_coroutine_threadsafe(asked, self._loop)
            try:
                return future.result(CONFIRM_WAIT_S + API_WAIT_S)
            except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
                future.cancel()
                raise refusal(NotReplicatedError, "not-confirmed") from None

        return propose

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(READY_WAIT_S):
                await self._ready.wait()
                await self._enough.wait()
        except TimeoutError:
            raise self._not_ready() from None

    def _not_ready(self) -> NotReplicatedError:
        self.refused += 1
        if not self._enough.is_set():
            return refusal(NotReplicatedError, "too-few")
        return refusal(NotReplicatedError, "not-ready", why=self._problem or "JetStream")

    async def _propose(self, store: str, revised: Sequence[Revised]) -> list[int]:
        if not self._ready.is_set() or not self._enough.is_set():
            # What is missing here comes by the very thread that waits for this. A leader that is
            # left alone would take the change, and make it when the others are back.
            raise self._not_ready()
        revisions: list[int] = []
        for some in _chunks(revised):
            revisions += await self._put(store, some)
        self._revision = max(self._revision, *revisions)
        return revisions

    async def _put(self, store: str, revised: Sequence[Revised]) -> list[int]:
        """Write rows, or find out that this was done already."""
        change = uuid.uuid4().hex
        writes = [self._write(store, row, revision, change) for row, revision in revised]
        doubt = _Doubt()
        try:
            async with asyncio.timeout(CONFIRM_WAIT_S):
                return await self._put_until(writes, change, doubt)
        except TimeoutError:
            if not doubt.is_there:
                raise self._not_ready() from None
            self.refused += 1
            raise refusal(NotReplicatedError, "not-confirmed") from None

    async def _put_until(self, writes: list[Write], change: str, doubt: _Doubt) -> list[int]:
        while True:
            was_in_doubt, doubt.is_there = doubt.is_there, True
            try:
                try:
                    return await self._stream.put(writes)
                except OutdatedError:
                    # Not made now; where it was in doubt, perhaps before.
                    doubt.is_there = was_in_doubt
                    there = [await self._stream.last(write.subject) for write in writes]
                if all(entry and entry.body.get("change") == change for entry in there):
                    return [entry.sequence for entry in there if entry]
                writes = self._renewed(writes, there)
            except TimedOutError as error:
                self._problem = str(error)
            except UnavailableError as error:
                # Nobody was there to take it.
                doubt.is_there = was_in_doubt
                self._problem = str(error)
                await asyncio.sleep(RETRY_S / 4)

    def _renewed(self, writes: list[Write], there: list[Entry | None]) -> list[Write]:
        """The same, where only time made them outdated."""
        # What was kept for its time only is gone for everybody: nobody changed it.
        if any(entry and entry.sequence != w.last for entry, w in zip(there, writes, strict=True)):
            self.conflicts += 1
            raise ChangedElsewhereError
        return [
            w._replace(last=entry.sequence if entry else 0)
            for entry, w in zip(there, writes, strict=True)
        ]

    def _write(self, store: str, row: Row, last: int | None, change: str) -> Write:
        key = hashlib.sha256(json.dumps(row.key).encode()).hexdigest()[:32]
        body: Body = {
            "store": store,
            "table": row.table,
            "key": list(row.key),
            "row": None if row.values is None else dict(row.values),
            "ends_ms": row.ends_ms,
            "change": change,
            "by": self._around.name,
        }
        ttl_s = None
        if row.values is None:
            ttl_s = GONE_KEPT_S
        elif row.ends_ms is not None:
            ttl_s = max(0, row.ends_ms - self._around.now_ms()) // 1000 + ENDED_KEPT_S
        return Write(f"{self._stream.prefix}.{store}.{row.table}.{key}", body, last, ttl_s)


def _origin(seeded: Entry) -> str:
    return str(seeded.body.get("origin"))


def _chunks(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + BATCH_MAX] for start in range(0, len(items), BATCH_MAX)]


def _by_store(entries: Any) -> dict[str, list[Revised]]:
    """Rows by the stores they are of; what is no row, or was not signed, is passed over."""
    found: dict[str, list[Revised]] = {}
    for entry in sorted(entries, key=lambda entry: entry.sequence):
        body = entry.body
        if not isinstance(body.get("store"), str) or not isinstance(body.get("key"), list):
            continue
        row = Row(str(body.get("table")), tuple(body["key"]), body.get("row"), body.get("ends_ms"))
        found.setdefault(body["store"], []).append(Revised(row, entry.sequence))
    return found
