"""Messages of the node's own interface, which a plugin is asked about like those of clients.

They come over the control channel, few at a time: what clients publish has a way of its own. The
hooks, their deadline and what holds without an answer are the same.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, cast

from rookery.engine.dispatch import HookDispatcher
from rookery.native.rows import AnswerRow, EventRow, MessageRow

Json = dict[str, Any]


def message_json(row: MessageRow) -> Json:
    """A message as it goes over the channel."""
    return {
        "timestamp_ms": row[1],
        "expires_at_ms": row[2],
        "qos": row[3],
        "retain": row[4],
        "topic": row[6],
        "payload": base64.b64encode(row[7]).decode(),
        "properties": base64.b64encode(row[8]).decode(),
        "client_id": row[9],
    }


def message_row(said: Json) -> MessageRow:
    """The reverse.

    Raises:
        KeyError: it is no message.
        ValueError: it is none.
    """
    return (
        0,  # it has no identity before it is published
        int(said["timestamp_ms"]),
        int(said["expires_at_ms"]),
        int(said["qos"]),
        bool(said["retain"]),
        False,
        str(said["topic"]),
        base64.b64decode(said["payload"]),
        base64.b64decode(said["properties"]),
        str(said["client_id"]),
        None,
        None,
        None,
    )


class NodeQuestions:
    """Those that are open in a worker process. Belongs to its event loop."""

    def __init__(
        self,
        make: Callable[[Callable[[list[AnswerRow]], None]], HookDispatcher],
        say: Callable[..., None],
    ) -> None:
        """``make`` makes a dispatcher that answers there; ``say`` speaks to the node."""
        self._dispatcher = make(self._answer)
        self._say = say

    def ask(self, number: int, messages: Sequence[Json]) -> None:
        """Ask the hook about each. Answers are told as they come, each with its message's place: one
        that is late or never comes keeps none of the others back.
        """
        rows: list[EventRow] = [
            ("ask", (number, 0, 0, index), "publish", message_row(said), None)
            for index, said in enumerate(messages)
        ]
        self._dispatcher.ask(rows)

    async def close(self, grace_s: float) -> None:
        """Answer what is open, no longer than that."""
        await self._dispatcher.drain(grace_s)
        await self._dispatcher.close()

    def _answer(self, answers: list[AnswerRow]) -> None:
        by_question: dict[int, list[Sequence[Any]]] = {}
        for (number, _, _, index), word, value in answers:
            said = message_json(cast(MessageRow, value)) if word == "replace" else value
            by_question.setdefault(number, []).append((index, word, said))
        for number, verdicts in by_question.items():
            self._say("verdicts", number=number, verdicts=verdicts)
