"""Whether a service that answers no TLS handshake speaks its protocol without TLS."""

from __future__ import annotations

import asyncio
import contextlib


async def speaks_plainly(host: str, port: int, question: bytes, answers: tuple[bytes, ...]) -> bool:
    """Ask what needs no right and holds no secret; the caller bounds the time."""
    writer: asyncio.StreamWriter | None = None
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(question)
        return (await reader.read(64)).startswith(answers)
    except OSError:
        return False
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()
