"""An HTTP service that takes messages and answers each after a while, for `actions.py`.

    python3 bench/slow_sink.py DELAY_S

prints its port, and at SIGTERM how many requests it has answered.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Count:
    """Requests that were answered."""

    answered: int = 0


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float, count: Count
) -> None:
    """Answers the requests of one connection, one after the other."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name == b"content-length":
                    await reader.readexactly(int(value))
            await asyncio.sleep(delay_s)
            writer.write(ANSWER)
            await writer.drain()
            count.answered += 1
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        pass  # the client ends, or this service does
    finally:
        writer.close()


async def main() -> None:
    delay_s, count = float(sys.argv[1]), Count()
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    server = await asyncio.start_server(
        lambda reader, writer: serve(reader, writer, delay_s, count), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await ending.wait()
    server.close()
    print(count.answered, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
