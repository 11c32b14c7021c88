"""Keys that tokens are verified with, and which algorithms each may serve.

A key decides what algorithm a token may name, never the token: a public key is not to be mistaken
for a shared secret.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rookery.access.errors import SettingError, Words
from rookery.types import Secret

if TYPE_CHECKING:
    from jwt import PyJWK
    from jwt.api_jws import PyJWS

_logger = logging.getLogger(__name__)

HMAC_ALGORITHMS = ("HS256", "HS384", "HS512")
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
EC_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
SECRET_BYTES_MIN = 32
TOKEN_BYTES_MAX = 65_535
KEYS_MAX = 100
# Of RFC 7517 and 7518: what is read of a key, each a text.
_WEB_KEY_TEXTS = ("use", "kty", "crv", "alg", "n", "e", "x", "y")

_NO_SECRET = Words("jwt: secret is missing", "jwt：缺少 secret")
_NO_BASE64 = Words("jwt: secret is not base64", "jwt：secret 不是 base64")
_NO_KEY = Words(
    "jwt: public_key is neither a readable file nor a key in PEM",
    "jwt：public_key 既不是可读取的文件，也不是 PEM 格式的公钥",
)
_KEY_KIND = Words(
    "jwt: public_key must be an RSA, EC (P-256, P-384, P-521) or Ed25519 key",
    "jwt：public_key 应为 RSA、EC（P-256、P-384、P-521）或 Ed25519 公钥",
)


class TokenError(Exception):
    """The token is none, or was not signed with a key that is trusted."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says about itself; not to be believed."""

    algorithm: str
    key_id: str | None


@cache
def _jws() -> PyJWS:
    # Loaded by those who have tokens.
    from jwt.api_jws import PyJWS  # noqa: PLC0415
    from jwt.warnings import InsecureKeyLengthWarning  # noqa: PLC0415

    # Said once when the configuration is read, not for every client.
    warnings.filterwarnings("ignore", category=InsecureKeyLengthWarning)
    return PyJWS()


def header_of(token: bytes) -> Header:
    """Read a token's header.

    Raises:
        TokenError: it is no token.
    """
    from jwt.exceptions import PyJWTError  # noqa: PLC0415

    # Most passwords are none, and are not worth a traceback.
    if token.count(b".") != 2 or len(token) > TOKEN_BYTES_MAX:
        raise TokenError("no token")
    try:
        header = _jws().get_unverified_header(token)
    except (PyJWTError, ValueError, RecursionError):
        raise TokenError("no token") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str):
        raise TokenError("no token")
    return Header(algorithm, key_id if isinstance(key_id, str) else None)


class Key(Protocol):
    """Something that tokens are verified with."""

    def claims(self, token: bytes, header: Header) -> dict[str, Any]:
        """The claims of a token that this key signed.

        Raises:
            TokenError: it did not.
        """
        ...


class FixedKey:
    """A shared secret or a public key, for the algorithms that fit it."""

    __slots__ = ("_algorithms", "_key")

    def __init__(self, key: Any, algorithms: tuple[str, ...]) -> None:
        self._key = key
        self._algorithms = algorithms

    def claims(self, token: bytes, header: Header) -> dict[str, Any]:
        if header.algorithm not in self._algorithms:
            raise TokenError(f"the algorithm {header.algorithm[:16]} is not one of this key")
        return _verified(token, self._key, header.algorithm)


class WebKey:
    """A key of a JWKS document (RFC 7517)."""

    __slots__ = ("_algorithms", "_by_algorithm", "_record", "key_id")

    def __init__(self, record: Mapping[str, Any]) -> None:
        """Take a key that signs.

        Raises:
            ValueError: it is none that this node uses.
        """
        if not all(isinstance(record.get(name), str | None) for name in _WEB_KEY_TEXTS):
            raise ValueError("a member that is no text")
        if record.get("use") not in {None, "sig"}:
            raise ValueError("not for signatures")
        algorithms: tuple[str, ...]
        match record.get("kty"):
            case "RSA":
                algorithms = RSA_ALGORITHMS
            case "EC" if record.get("crv") in EC_CURVES:
                algorithms = (EC_CURVES[record["crv"]],)
            case "OKP":
                algorithms = ("EdDSA",)
            case _:
                # Among them "oct": a secret has no place in a public document.
                raise ValueError("not a public key")
        said = record.get("alg")
        if said is not None:
            if said not in algorithms:
                raise ValueError("an algorithm that is not one of the key")
            algorithms = (said,)
        self._algorithms = algorithms
        self._record = dict(record)
        self._by_algorithm: dict[str, PyJWK] = {}
        key_id = record.get("kid")
        self.key_id = key_id if isinstance(key_id, str) else None
        self._loaded(algorithms[0])

    def _loaded(self, algorithm: str) -> PyJWK:
        from jwt import PyJWK  # noqa: PLC0415
        from jwt.exceptions import PyJWTError  # noqa: PLC0415

        if algorithm not in self._by_algorithm:
            try:
                self._by_algorithm[algorithm] = PyJWK(self._record, algorithm)
            except (PyJWTError, TypeError, KeyError) as error:
                raise ValueError("not a key") from error
        return self._by_algorithm[algorithm]

    def claims(self, token: bytes, header: Header) -> dict[str, Any]:
        if header.algorithm not in self._algorithms:
            raise TokenError("the algorithm is not one of this key")
        return _verified(token, self._loaded(header.algorithm), header.algorithm)


def _verified(token: bytes, key: Any, algorithm: str) -> dict[str, Any]:
    from jwt.exceptions import PyJWTError  # noqa: PLC0415

    try:
        payload = _jws().decode(token, key, algorithms=[algorithm])
        claims = json.loads(payload)
    except (PyJWTError, ValueError, RecursionError):
        raise TokenError("the signature is wrong") from None
    if not isinstance(claims, dict):
        raise TokenError("the claims are no object")
    return claims


def secret_key(secret: Secret, *, is_base64: bool) -> FixedKey:
    """A shared secret.

    Raises:
        SettingError: it is none.
    """
    content = secret.reveal().encode()
    if is_base64:
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error:
            raise SettingError(_NO_BASE64) from None
    if not content:
        raise SettingError(_NO_SECRET)
    if len(content) < SECRET_BYTES_MIN:
        _logger.warning(
            "jwt: a secret of less than %d bytes can be guessed from one token", SECRET_BYTES_MIN
        )
    return FixedKey(content, HMAC_ALGORITHMS)


def public_key(text: str) -> FixedKey:
    """A public key or certificate in PEM, or the path of a file with one.

    Raises:
        SettingError: it is neither.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415

    try:
        pem = text.encode() if text.lstrip().startswith("-----") else Path(text).read_bytes()
        key = _load_pem(pem)
    except (OSError, ValueError):
        raise SettingError(_NO_KEY) from None
    if isinstance(key, rsa.RSAPublicKey):
        return FixedKey(key, RSA_ALGORITHMS)
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in EC_ALGORITHMS:
        return FixedKey(key, (EC_ALGORITHMS[key.curve.name],))
    if isinstance(key, ed25519.Ed25519PublicKey):
        return FixedKey(key, ("EdDSA",))
    raise SettingError(_KEY_KIND)


def _load_pem(pem: bytes) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
    from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

    if b"CERTIFICATE" in pem:
        return load_pem_x509_certificate(pem).public_key()
    return load_pem_public_key(pem)
