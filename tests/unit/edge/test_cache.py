"""Messages that wait for a broker: order, bounds, what is on disk."""

from __future__ import annotations

import random
from pathlib import Path

from rookery.edge.apps.cache import Cache, Message

MIB = 1 << 20


def put(cache: Cache, count: int, size: int = 10) -> list[int]:
    numbers = [cache.number() for _ in range(count)]
    for seq in numbers:
        cache.put(Message(seq, "t", b"x" * size))
    return numbers


async def take(cache: Cache, count: int) -> list[int]:
    taken: list[int] = []
    while len(taken) < count:
        taken += [message.seq for message in await cache.take()]
        await cache.sent(taken[-1])
    return taken


async def test_what_waits_is_on_disk_and_comes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, MIB, MIB)
    await cache.open()
    first = put(cache, 500)
    await cache.close()

    again = Cache(tmp_path, MIB, MIB)
    await again.open()
    second = put(again, 5)

    assert again.waiting >= 500
    assert await take(again, 505) == first + second
    assert again.waiting == 0
    assert min(second) > max(first)
    await again.close()


async def test_numbers_only_grow_even_where_nothing_was_closed(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10 * MIB, MIB)
    await cache.open()
    cache.is_connected = True
    last = put(cache, 70_000, 0)[-1]
    killed = Cache(tmp_path, MIB, MIB)
    await killed.open()

    assert killed.number() > last
    await killed.close()
    await cache.close()


async def test_who_is_full_loses_the_oldest_and_counts_them(tmp_path: Path) -> None:
    cache = Cache(tmp_path, MIB, 100_000)
    await cache.open()
    numbers = put(cache, 1000, 200)
    await cache.close()

    again = Cache(tmp_path, MIB, 100_000)
    await again.open()
    left = await take(again, again.waiting)

    assert left == numbers[-len(left) :]
    assert cache.dropped == 1000 - len(left)
    assert 0 < len(left) * 264 <= 100_000
    await again.close()


async def test_without_a_disk_memory_has_a_bound(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000, 0)
    await cache.open()
    numbers = put(cache, 100, 200)

    left = await take(cache, cache.waiting)

    assert left == numbers[-len(left) :]
    assert cache.dropped == 100 - len(left)
    await cache.close()


async def test_order_stays_whatever_breaks(tmp_path: Path) -> None:
    for seed in range(8):
        chance = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        cache = Cache(folder, 2000, MIB)
        await cache.open()
        given: list[int] = []
        received: list[int] = []
        for _ in range(60):
            given += put(cache, chance.randrange(12))
            if not cache.waiting or chance.random() < 0.2:
                cache.is_connected = chance.random() < 0.7
                continue
            cache.is_connected = True
            taken = await cache.take()
            sent = taken[: chance.randrange(len(taken) + 1)]
            received += [message.seq for message in sent]
            if sent:
                await cache.sent(sent[-1].seq)
            if len(sent) < len(taken) or chance.random() < 0.3:
                cache.lost(taken[len(sent) :])
        if cache.waiting:
            cache.is_connected = True
            received += await take(cache, cache.waiting)
        assert received == given, seed
        await cache.close()
