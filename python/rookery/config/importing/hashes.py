"""``password_hash`` of the plugins."""

from __future__ import annotations

from typing import Any

from rookery.config.importing.model import Setting, UnsupportedError, Words

PLAIN = ("plain", "md5", "sha", "sha256", "sha512")
NO_HASH = Words("this password hash is not known here", "不支持该密码散列算法")


def algorithm(text: str) -> dict[str, Any]:
    """``sha256``, ``salt,sha256``, ``sha256,salt``, ``salt,bcrypt``, ``pbkdf2,sha256,1000,20``."""
    parts = [part.strip() for part in text.split(",")]
    match parts:
        case ["bcrypt"] | ["salt", "bcrypt"] | ["bcrypt", "salt"]:
            return {"name": "bcrypt"}
        case ["pbkdf2", function, iterations, length]:
            return {
                "name": "pbkdf2",
                "mac_fun": function,
                "iterations": int(iterations),
                "dk_length": int(length),
            }
        case [name] if name in PLAIN:
            return {"name": name, "salt_position": "disable"}
        case ["salt", name] if name in PLAIN:
            return {"name": name, "salt_position": "prefix"}
        case [name, "salt"] if name in PLAIN:
            return {"name": name, "salt_position": "suffix"}
    raise UnsupportedError(NO_HASH)


def hash_name(setting: Setting) -> dict[str, Any]:
    """As a conversion of a line."""
    return algorithm(setting.value)
