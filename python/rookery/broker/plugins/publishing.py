"""Messages of the REST interface on their way through ``message.publish``.

What clients publish is asked about by the core. A message that the node itself was given never meets
that: the plugins are asked here, in their order, with their topics and deadlines, over the channel
that the node has to each of their processes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rookery.access.topic_filters import is_topic_name, matches
from rookery.broker.plugins.models import Installed, PublishFigures
from rookery.broker.plugins.process import WorkerError, WorkerProcess
from rookery.clock import Clock
from rookery.config import Config
from rookery.errors import BadRequestError
from rookery.native.node import Publication
from rookery.plugins.node_questions import message_json, message_row

_log = logging.getLogger("rookery.plugins")

HOOKPOINT = "message.publish"
BATCH_MAX = 256
BATCH_BYTES_MAX = 1 << 20
IMPLEMENTATION_SPECIFIC_ERROR = 0x83


class Refused(NamedTuple):
    """A plugin refuses a message; or it is configured to, and gave no answer that can be used."""

    reason_code: int
    plugin: str
    is_answered: bool = True


Outcome = Publication | Refused | None
"""What goes on; none: a plugin took it."""


class Asked(NamedTuple):
    """A plugin that is asked, and how to find the process that is."""

    plugin: Installed
    worker: Callable[[str], WorkerProcess | None]
    settled: Callable[[], Awaitable[None]]
    """Waits while the plugins of the node are being changed."""


async def ask_all(
    publications: Sequence[Publication], plugins: Sequence[Asked], clock: Clock, bytes_max: int
) -> list[Outcome]:
    """Ask every plugin about every message that it wants to see.

    A plugin may put one of at most ``bytes_max`` bytes in the place of another.

    Raises:
        BadRequestError: one of the messages has no topic name; nobody was asked.
    """
    if plugins and not all(is_topic_name(message.topic) for message in publications):
        raise BadRequestError("no topic name")
    outcomes: list[Outcome] = list(publications)
    for asked in plugins:
        for batch in _batches(outcomes, asked.plugin):
            found = await _ask(asked, [message for _, message in batch], clock, bytes_max)
            for (index, _), outcome in zip(batch, found, strict=True):
                outcomes[index] = outcome
    return outcomes


def _batches(
    outcomes: Sequence[Outcome], plugin: Installed
) -> Iterator[list[tuple[int, Publication]]]:
    """Those that go on and that a plugin wants to see, by their places, some at a time."""
    topics = plugin.run.topics
    batch: list[tuple[int, Publication]] = []
    size = 0
    for index, message in enumerate(outcomes):
        if not isinstance(message, Publication) or message.sys:
            continue
        if topics and not any(matches(message.topic, topic) for topic in topics):
            continue
        if batch and (len(batch) == BATCH_MAX or size + len(message.payload) > BATCH_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append((index, message))
        size += len(message.payload)
    if batch:
        yield batch


async def _ask(
    asked: Asked, messages: Sequence[Publication], clock: Clock, bytes_max: int
) -> list[Outcome]:
    plugin, now_ms = asked.plugin, clock.now_ms()
    found: dict[int, Sequence[Any]] = {}
    figures, worker = PublishFigures(), None
    deadline_s, now_s = plugin.run.deadline_s, asyncio.get_running_loop().time
    asked_s = now_s()
    try:
        async with asyncio.timeout(deadline_s) as waiting:
            worker = asked.worker(messages[0].client_id)
            if worker is None:
                # Its code may be loaded anew at the moment.
                await asked.settled()
                worker = asked.worker(messages[0].client_id)
            if worker is None:
                raise WorkerError("it does not run")
            figures, asked_s = worker.figures, now_s()
            patience_s = worker.trust.patience_s(asked_s, deadline_s)
            if not patience_s:
                raise WorkerError(f"it has answered nothing for {deadline_s:g} s")
            if patience_s < deadline_s:
                waiting.reschedule(asked_s + patience_s)
            figures.asked += len(messages)
            await worker.ask_publish([_json(message, now_ms) for message in messages], found)
    except TimeoutError:
        figures.late += len(messages) - len(found)
        if worker is not None:
            worker.trust.missed(asked_s)
        _unanswered(plugin, f"no answer within {now_s() - asked_s:.2g} s")
    except WorkerError as error:
        figures.failed += len(messages) - len(found)
        _unanswered(plugin, str(error))
    figures.answered += len(found)
    # Whatever became of the others: what the plugin said to a message holds for it.
    return [
        _verdict(plugin, message, found.get(index), now_ms, bytes_max)
        for index, message in enumerate(messages)
    ]


def _verdict(
    plugin: Installed,
    message: Publication,
    said: Sequence[Any] | None,
    now_ms: int,
    bytes_max: int,
) -> Outcome:
    """What becomes of a message: as the plugin said, else as it is configured."""
    if said is not None:
        try:
            return _fitting(_outcome(plugin, message, said, now_ms), message, bytes_max)
        except (KeyError, TypeError, ValueError) as error:
            _unanswered(plugin, str(error))
    if plugin.run.failure.get(HOOKPOINT, "ignore") == "deny":
        return Refused(IMPLEMENTATION_SPECIFIC_ERROR, plugin.id, is_answered=False)
    return message


def _unanswered(plugin: Installed, why: str) -> None:
    _log.warning("plugin %s did not answer about a message of the API: %s", plugin.id, why)


def _fitting(outcome: Outcome, asked: Publication, bytes_max: int) -> Outcome:
    """The same.

    Raises:
        ValueError: it is a message larger than any that could be sent.
    """
    if isinstance(outcome, Publication) and outcome is not asked:
        check_size(outcome, max(bytes_max, publication_bytes(asked)))
    return outcome


def check_size(message: Publication, bytes_max: int) -> None:
    """Refuse what no client could send.

    Raises:
        ValueError: it is larger than that.
    """
    if (size := publication_bytes(message)) > bytes_max:
        raise ValueError(
            f"a message of {size} bytes is more than mqtt.max_packet_size ({bytes_max})"
        )


def largest_message(config: Config) -> int:
    """What a client of some zone may send at most."""
    zones = (config["mqtt"], *(zone["mqtt"] for zone in config["zones"].values()))
    return max(int(mqtt.get("max_packet_size", 0)) for mqtt in zones)


def publication_bytes(message: Publication) -> int:
    """What a message has to carry, without the head of its packet."""
    topic_bytes = len(message.topic.encode("utf-8", "surrogatepass"))
    return topic_bytes + len(message.payload) + len(message.properties)


def _json(message: Publication, now_ms: int) -> dict[str, Any]:
    expires_at_ms = 0 if message.expiry_s is None else now_ms + message.expiry_s * 1000
    return message_json(
        (
            0, now_ms, expires_at_ms, message.qos, message.retain, False, message.topic,
            message.payload, message.properties, message.client_id, None, None, None,
        )
    )  # fmt: skip


def _outcome(
    plugin: Installed, message: Publication, verdict: Sequence[Any], now_ms: int
) -> Outcome:
    """What a verdict makes of a message.

    Raises:
        ValueError: it is none, or puts in its place what cannot be published.
    """
    word, value = verdict
    if word == "allow":
        return message
    if word == "drop":
        return None
    if word == "deny":
        return Refused(int(value), plugin.id)
    if word != "replace":
        raise ValueError(f"no verdict: {word}")
    row = message_row(value)
    topic, qos, expires_at_ms = row[6], row[3], row[2]
    if not is_topic_name(topic) or qos not in (0, 1, 2):
        raise ValueError("it returned a message that cannot be published")
    expiry_s = None if not expires_at_ms else max(0, -(-(expires_at_ms - now_ms) // 1000))
    # Who published it stays who published it.
    return message._replace(
        topic=topic, payload=row[7], qos=qos, retain=row[4], properties=row[8], expiry_s=expiry_s
    )
