"""Lets somebody on the machine in who has lost the password, while no edge service runs."""

from __future__ import annotations

import asyncio

from rookery.clock import Clock
from rookery.config.data_dir import EDGE_LOCK_NAME, DataDir
from rookery.config.edge import EdgeConfig
from rookery.edge.users.service import Users
from rookery.types import Secret


def reset_password(config: EdgeConfig, name: str, password: str, clock: Clock) -> None:
    """Give a user another password.

    Raises:
        DataDirInUseError: an edge service runs there, and has to be asked.
        NotFoundError: there is no such user.
        BadRequestError: the password will not do.
    """
    data_dir = DataDir(config.data_dir, lock_name=EDGE_LOCK_NAME)
    data_dir.open()
    try:
        asyncio.run(_reset(config, name, password, clock))
    finally:
        data_dir.close()


async def _reset(config: EdgeConfig, name: str, password: str, clock: Clock) -> None:
    users = Users(
        config.data_dir, clock, lifetime_s=config.token_lifetime_s, first_password=Secret("")
    )
    try:
        await users.open()
        await users.reset_password(name, password, must_change=False)
    finally:
        await users.close()
