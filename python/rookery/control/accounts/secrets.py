"""Tokens that nobody can guess; what is kept of them signs nobody in."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_BYTES = 32


def new_token(prefix: str = "") -> str:
    """256 random bits as text."""
    return prefix + secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """What is kept, and looked up: guessing the token it belongs to is hopeless."""
    return hashlib.sha256(token.encode()).hexdigest()
