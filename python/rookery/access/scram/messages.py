"""The messages of SCRAM: RFC 5802 sections 5 and 7. Knows no user and keeps nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import NamedTuple

from rookery.access.errors import AccessError
from rookery.access.scram.keys import prepare
from rookery.access.users.models import ScramAlgorithm

METHODS: dict[str, ScramAlgorithm] = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
"""Authentication Methods of MQTT-5.0 section 3.1.2.11.9 that are SCRAM."""

MESSAGE_BYTES_MAX = 4096
NONCE_LENGTH_MAX = 512

_NONCE = re.compile(r"[\x21-\x2b\x2d-\x7e]+")
_ESCAPED_NAME = re.compile(r"(?:[^=,]|=2C|=3D)+")


class ScramError(Exception):
    """The client's message is none, or proves nothing."""


class ClientFirst(NamedTuple):
    """``client-first-message``."""

    header: str  # gs2-header, commas included
    bare: str
    user: str
    nonce: str


class ClientFinal(NamedTuple):
    """``client-final-message``."""

    without_proof: str
    binding: str
    nonce: str
    proof: bytes


def _decoded(data: bytes) -> str:
    if len(data) > MESSAGE_BYTES_MAX:
        raise ScramError("a message that is too long")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ScramError("a message that is not UTF-8") from None


def parse_client_first(data: bytes) -> ClientFirst:
    """Take the first message apart.

    Raises:
        ScramError: it is none that this server can answer.
    """
    text = _decoded(data)
    parts = text.split(",")
    if len(parts) < 4:
        raise ScramError("no client-first-message")
    flag, authzid, name, nonce = parts[:4]
    if flag.startswith("p="):
        raise ScramError("channel binding is not available")
    if flag not in {"n", "y"}:
        raise ScramError("no client-first-message")
    if name.startswith("m="):
        raise ScramError("an extension that is not known")
    if not name.startswith("n=") or not _ESCAPED_NAME.fullmatch(name[2:]):
        raise ScramError("no user name")
    if not nonce.startswith("r=") or not _is_nonce(nonce[2:]):
        raise ScramError("no nonce")
    user = _user(name[2:])
    if authzid and (not authzid.startswith("a=") or _user(authzid[2:]) != user):
        raise ScramError("nobody may act for somebody else")
    header = f"{flag},{authzid},"
    return ClientFirst(header, text[len(header) :], user, nonce[2:])


def _user(escaped: str) -> str:
    try:
        return prepare(escaped.replace("=2C", ",").replace("=3D", "="))
    except AccessError as error:
        raise ScramError(str(error)) from None


def _is_nonce(text: str) -> bool:
    return len(text) <= NONCE_LENGTH_MAX and _NONCE.fullmatch(text) is not None


def server_first(nonce: str, salt: bytes, iterations: int) -> str:
    """``server-first-message``; ``nonce`` begins with the client's."""
    return f"r={nonce},s={base64.b64encode(salt).decode()},i={iterations}"


def parse_client_final(data: bytes) -> ClientFinal:
    """Take the second message apart.

    Raises:
        ScramError: it is none.
    """
    text = _decoded(data)
    without_proof, mark, proof = text.rpartition(",p=")
    parts = without_proof.split(",")
    if not mark or len(parts) < 2 or parts[0][:2] != "c=" or parts[1][:2] != "r=":
        raise ScramError("no client-final-message")
    try:
        return ClientFinal(
            without_proof, parts[0][2:], parts[1][2:], base64.b64decode(proof, validate=True)
        )
    except binascii.Error:
        raise ScramError("no proof") from None


def is_proven(
    algorithm: ScramAlgorithm, stored_key: bytes, auth_message: str, proof: bytes
) -> bool:
    """Whether the proof could only be made by somebody who knows the password."""
    signature = hmac.digest(stored_key, auth_message.encode(), algorithm)
    if len(proof) != len(signature):
        return False
    client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
    return hmac.compare_digest(hashlib.new(algorithm, client_key).digest(), stored_key)


def server_final(algorithm: ScramAlgorithm, server_key: bytes, auth_message: str) -> bytes:
    """``server-final-message``: shows the client that the server knows the user, too."""
    signature = hmac.digest(server_key, auth_message.encode(), algorithm)
    return b"v=" + base64.b64encode(signature)


def expected_binding(header: str) -> str:
    """What ``c=`` must be when no channel is bound."""
    return base64.b64encode(header.encode()).decode()
