"""The built-in users: who they are, where they are kept, how they come and go in files."""

from __future__ import annotations

from rookery.access.users.models import IdType, NewUser, ScramUser, User
from rookery.access.users.service import UserService
from rookery.access.users.store import UserOrder, UserStore, Wanted

__all__ = [
    "IdType",
    "NewUser",
    "ScramUser",
    "User",
    "UserOrder",
    "UserService",
    "UserStore",
    "Wanted",
]
