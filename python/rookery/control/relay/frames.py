"""How control processes speak to each other: a length, a line of JSON, and a message of an agent.

    asks → holds    hello {process, secret}          who speaks, first of all
                    say {agent, channel, …} + message  pass this on to an agent of yours
    holds → asks    welcome                          the secret was right
                    heard {agent} + message          an agent answered a call of yours
                    lost {agent}                     it is not connected here, or no longer
                    done {number, ok}                what became of a *say* with a number

Four bytes of length, in network order, stand before each frame.
"""

from __future__ import annotations

import asyncio
import json
import struct
from dataclasses import dataclass, field
from typing import Any

from rookery.contracts.agent_v1 import MESSAGE_BYTES_MAX

FRAME_BYTES_MAX = MESSAGE_BYTES_MAX + 4096
_HEAD_BYTES_MAX = 4000
_LENGTH = struct.Struct("!I")


class FrameError(Exception):
    """What came is no frame; the connection is of no use any more."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One of them.

    Attributes:
        kind: Which.
        fields: What its line says.
        body: The message of an agent, as it goes over MQTT.
    """

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""

    def text(self, name: str) -> str:
        """A field that has to be a text.

        Raises:
            FrameError: it is none.
        """
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise FrameError(f"{self.kind}: {name} is missing")
        return value

    def number(self, name: str) -> int | None:
        """A field that may be a number."""
        value = self.fields.get(name)
        return value if type(value) is int else None

    def to_bytes(self) -> bytes:
        head = json.dumps({"kind": self.kind, **self.fields}, separators=(",", ":")).encode()
        return _LENGTH.pack(len(head) + 1 + len(self.body)) + head + b"\n" + self.body


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; none at the end.

    Raises:
        FrameError: it is none.
    """
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if not 0 < length <= FRAME_BYTES_MAX:
            raise FrameError(f"a frame of {length} bytes")
        data = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        return None
    head, _, body = data.partition(b"\n")
    if len(head) > _HEAD_BYTES_MAX:
        raise FrameError("a line that is too long")
    try:
        fields = json.loads(head)
        kind = fields.pop("kind")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise FrameError("a line that cannot be read") from None
    if not isinstance(kind, str):
        raise FrameError("a line that cannot be read")
    return Frame(kind, fields, body)
