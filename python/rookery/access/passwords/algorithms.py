"""Stored passwords: what EMQX may have written, and what is written here.

New passwords of people are argon2id. Generated device secrets have at least 128 random bits, so that
one salted SHA-256 is as good as any slow function, and ten thousand devices that come back at once
cost nothing. The other algorithms are for what is brought along: they are verified, never made.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from rookery.access.errors import SettingError, Words
from rookery.types import Secret

if TYPE_CHECKING:
    from argon2 import PasswordHasher

AlgorithmName: TypeAlias = Literal[
    "argon2id", "plain", "md5", "sha", "sha256", "sha512", "bcrypt", "pbkdf2"
]
SaltPosition: TypeAlias = Literal["disable", "prefix", "suffix"]
MacFunction: TypeAlias = Literal["md5", "sha", "sha224", "sha256", "sha384", "sha512"]

# OWASP's first choice: 19 MiB, two passes. Some 15 ms on one core.
ARGON2_MEMORY_KIB = 19_456
ARGON2_PASSES = 2
ARGON2_LANES = 1

# An imported hash may cost this much; more would let one login hold a core for minutes.
ARGON2_MEMORY_KIB_MAX = 1 << 20
ARGON2_WORK_MAX = 1 << 22  # KiB times passes
PBKDF2_ITERATIONS_MAX = 10_000_000
BCRYPT_ROUNDS_MAX = 15
PASSWORD_BYTES_MAX = 65_535  # MQTT-5.0 section 3.1.3.6

DEVICE_SECRET_BYTES = 24
SALT_BYTES = 16

_SLOW = frozenset({"argon2id", "bcrypt", "pbkdf2"})
_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_MAC_NAMES = {"sha": "sha1"}
_DIGEST_LENGTHS = {"md5": 32, "sha": 40, "sha256": 64, "sha512": 128}

_NOT_A_HASH = Words("not a stored password of {name}", "不是 {name} 格式的密码散列")
_TOO_COSTLY = Words(
    "a stored password of {name} that costs too much to verify", "{name} 密码散列的计算代价过高"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashSettings:
    """``password_hash_algorithm`` of EMQX: how a stored password came about.

    Attributes:
        name: The algorithm.
        salt_position: Where the salt stands; for ``plain``, ``md5``, ``sha``, ``sha256`` and
            ``sha512``.
        mac_fun: Hash function of PBKDF2.
        iterations: Iterations of PBKDF2.
        dk_length: Bytes that PBKDF2 derives; 0: as many as ``mac_fun`` gives.
    """

    name: AlgorithmName = "argon2id"
    salt_position: SaltPosition = "prefix"
    mac_fun: MacFunction = "sha256"
    iterations: int = 4096
    dk_length: int = 0

    @property
    def is_slow(self) -> bool:
        """Whether verifying takes milliseconds of a core on purpose."""
        return self.name in _SLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A stored password. Neither hash nor salt is shown."""

    settings: HashSettings = field(default_factory=HashSettings)
    password_hash: str = field(repr=False)
    salt: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """What a new hash costs: KiB of memory, passes, lanes."""

    memory_kib: int = ARGON2_MEMORY_KIB
    passes: int = ARGON2_PASSES
    lanes: int = ARGON2_LANES


DEFAULT_COST = Argon2Cost()


@cache
def _argon2(cost: Argon2Cost = DEFAULT_COST) -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415 - loaded by those who have passwords

    return PasswordHasher(
        time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes
    )


def hash_password(password: bytes, cost: Argon2Cost = DEFAULT_COST) -> Credential:
    """Store a password that a person chose. Takes some 15 ms of a core with the default cost."""
    return Credential(password_hash=_argon2(cost).hash(password))


def store_secret(secret: Secret) -> Credential:
    """Store a generated secret; not for what a person chose."""
    salt = secrets.token_hex(SALT_BYTES)
    settings = HashSettings(name="sha256", salt_position="prefix")
    digest = hashlib.sha256(salt.encode() + secret.reveal().encode()).hexdigest()
    return Credential(settings=settings, password_hash=digest, salt=salt)


def new_secret() -> Secret:
    """A secret for a device: 192 random bits in 32 characters."""
    return Secret(secrets.token_urlsafe(DEVICE_SECRET_BYTES))


def verify(credential: Credential, password: bytes) -> bool:
    """Whether this is the password. The time it takes tells nothing about how wrong it is."""
    match credential.settings.name:
        case "argon2id":
            return _verify_argon2(credential.password_hash, password)
        case "bcrypt":
            return _verify_bcrypt(credential.password_hash, password)
        case "pbkdf2":
            computed = _pbkdf2(credential, password)
        case _:
            computed = _digest(credential, password)
    stored = credential.password_hash
    if credential.settings.name != "plain":
        stored = stored.lower()
    return hmac.compare_digest(computed, stored.encode("utf-8", "replace"))


def _digest(credential: Credential, password: bytes) -> bytes:
    settings, salt = credential.settings, credential.salt.encode()
    salted = {"prefix": salt + password, "suffix": password + salt, "disable": password}
    data = salted[settings.salt_position]
    match settings.name:
        case "md5":
            return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()
        case "sha":
            return hashlib.sha1(data, usedforsecurity=False).hexdigest().encode()
        case "sha256":
            return hashlib.sha256(data).hexdigest().encode()
        case "sha512":
            return hashlib.sha512(data).hexdigest().encode()
    return data


def _pbkdf2(credential: Credential, password: bytes) -> bytes:
    settings = credential.settings
    derived = hashlib.pbkdf2_hmac(
        _MAC_NAMES.get(settings.mac_fun, settings.mac_fun),
        password,
        credential.salt.encode(),
        settings.iterations,
        settings.dk_length or None,
    )
    return derived.hex().encode()


def _verify_argon2(stored: str, password: bytes) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

    try:
        return _argon2().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _verify_bcrypt(stored: str, password: bytes) -> bool:
    import bcrypt  # noqa: PLC0415 - loaded by those who imported such hashes

    # What bcrypt never looked at is cut off, as every implementation does that stored the hash;
    # one that contains a zero byte was stored up to it.
    seen = password.split(b"\0", 1)[0][:72]
    # The letters name bugs of old implementations that none of today's has.
    modern = "$2b$" + stored[4:]
    try:
        return bcrypt.checkpw(seen, modern.encode())
    except ValueError:
        return False


def check(credential: Credential) -> Credential:
    """Refuse what could never be verified, or would cost too much.

    Raises:
        SettingError: says why, without the hash.
    """
    name, stored = credential.settings.name, credential.password_hash
    match name:
        case "argon2id":
            _check_argon2(stored)
        case "bcrypt":
            match = _BCRYPT.fullmatch(stored)
            if match is None:
                raise SettingError(_NOT_A_HASH.format(name=name))
            if int(match[1]) > BCRYPT_ROUNDS_MAX:
                raise SettingError(_TOO_COSTLY.format(name=name))
        case "pbkdf2":
            if not _HEX.fullmatch(stored):
                raise SettingError(_NOT_A_HASH.format(name=name))
            if not 0 < credential.settings.iterations <= PBKDF2_ITERATIONS_MAX:
                raise SettingError(_TOO_COSTLY.format(name=name))
        case "plain":
            pass
        case _:
            if not _HEX.fullmatch(stored) or len(stored) != _DIGEST_LENGTHS[name]:
                raise SettingError(_NOT_A_HASH.format(name=name))
    return credential


def _check_argon2(stored: str) -> None:
    from argon2 import extract_parameters  # noqa: PLC0415
    from argon2.exceptions import InvalidHashError  # noqa: PLC0415
    from argon2.low_level import Type  # noqa: PLC0415

    try:
        parameters = extract_parameters(stored)
    except (InvalidHashError, ValueError):
        raise SettingError(_NOT_A_HASH.format(name="argon2id")) from None
    if parameters.type is not Type.ID:
        raise SettingError(_NOT_A_HASH.format(name="argon2id"))
    work = parameters.memory_cost * parameters.time_cost
    if parameters.memory_cost > ARGON2_MEMORY_KIB_MAX or work > ARGON2_WORK_MAX:
        raise SettingError(_TOO_COSTLY.format(name="argon2id"))


def settings_to_json(settings: HashSettings) -> dict[str, Any]:
    """What is kept beside a hash: the members that differ from the default, and the name."""
    plain = HashSettings(name=settings.name)
    members: dict[str, Any] = {"name": settings.name}
    for member in fields(HashSettings):
        value = getattr(settings, member.name)
        if value != getattr(plain, member.name):
            members[member.name] = value
    return members


def settings_from_json(members: dict[str, Any]) -> HashSettings:
    """The reverse; members of a later version are left out."""
    known = {member.name for member in fields(HashSettings)}
    return HashSettings(**{name: value for name, value in members.items() if name in known})


def algorithm_names() -> tuple[str, ...]:
    return get_args(AlgorithmName)
