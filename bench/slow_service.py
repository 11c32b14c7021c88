"""An HTTP authentication service that takes its time, for `storms.py`.

    python3 bench/slow_service.py DELAY_S

prints its port. Clients whose name begins with `device-` wait for DELAY_S (`inf`: for ever); others
are answered at once. Everyone is allowed in.
"""

from __future__ import annotations

import asyncio
import math
import sys

ANSWER_BODY = b'{"result": "allow"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n" % len(ANSWER_BODY)
) + ANSWER_BODY
SLOW = b'"device-'


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Answers the requests of one connection, one after the other."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name == b"content-length":
                    length = int(value)
            body = await reader.readexactly(length)
            if SLOW in body:
                await (asyncio.Event().wait() if math.isinf(delay_s) else asyncio.sleep(delay_s))
            writer.write(ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    delay_s = float(sys.argv[1])
    server = await asyncio.start_server(
        lambda reader, writer: serve(reader, writer, delay_s), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
