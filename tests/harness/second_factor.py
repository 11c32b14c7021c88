"""An authenticator in somebody's pocket, on the clock of a test."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from harness.control import PASSWORD, World
from rookery.clock import ManualClock

PATH = "/profile/second-factor"


class Authenticator:
    """What somebody has in the pocket."""

    def __init__(self, shown: Mapping[str, Any], clock: ManualClock) -> None:
        secret = shown["secret"]
        raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self._totp = TOTP(raw, 6, SHA1(), 30)
        self._clock = clock

    def code(self, off_s: int = 0) -> str:
        return self._totp.generate(self._clock.now_ms() // 1000 + off_s).decode()


async def enrolled(
    world: World, token: str, clock: ManualClock, password: str = PASSWORD
) -> tuple[Authenticator, list[str]]:
    made = await world.ask("POST", PATH, {"password": password}, token=token)
    assert made.status == 201, made.text
    found = Authenticator(made.json, clock)
    answer = await world.ask("POST", f"{PATH}/confirm", {"code": found.code()}, token=token)
    assert answer.status == 200, answer.text
    return found, answer.json["recoveryCodes"]
