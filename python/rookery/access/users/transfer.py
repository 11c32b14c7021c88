"""Users in files: EMQX's CSV and JSON of users, read and written.

Two kinds of file, as in EMQX: ``hash`` holds ``user_id, password_hash, salt, is_superuser`` in the
algorithm that is said beside the file, ``plain`` holds ``user_id, password, is_superuser``. Our own
export carries the algorithm of each user, so that it can be read anywhere.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias, get_args

from rookery.access.errors import ImportFileError, SettingError, Words
from rookery.access.passwords.algorithms import (
    Credential,
    HashSettings,
    MacFunction,
    SaltPosition,
    algorithm_names,
    check,
    settings_from_json,
    settings_to_json,
)
from rookery.access.users.models import USER_ID_BYTES_MAX, NewUser, User
from rookery.types import Secret

FileFormat: TypeAlias = Literal["csv", "json"]
FileKind: TypeAlias = Literal["hash", "plain"]

FILE_BYTES_MAX = 256 << 20
USERS_MAX = 1_000_000
FIELD_BYTES_MAX = 1 << 20
DERIVED_BYTES_MAX = 1024

_PLACE = Words("{file}, user {number}: {reason}", "{file}，第 {number} 个用户：{reason}")
_NO_USER_ID = Words("user_id is missing", "缺少 user_id")
_BAD_USER_ID = Words("user_id is too long or holds U+0000", "user_id 过长或包含 U+0000")
_NO_PASSWORD = Words("password is missing", "缺少 password")
_NO_HASH = Words("password_hash is missing", "缺少 password_hash")
_BAD_FLAG = Words("is_superuser must be true or false", "is_superuser 应为 true 或 false")
_BAD_ALGORITHM = Words("unknown password_hash_algorithm", "未知的 password_hash_algorithm")
_TWICE = Words("this user_id stands in the file twice", "该 user_id 在文件中重复")
_NO_LIST = Words("{file}: must be a JSON list of users", "{file}：应为 JSON 用户列表")
_NO_JSON = Words("{file}: no JSON: {reason}", "{file}：不是有效的 JSON：{reason}")
_NO_CSV = Words("{file}: no CSV: {reason}", "{file}：不是有效的 CSV：{reason}")
_NO_HEADER = Words(
    "{file}: the first line must name the columns, user_id among them",
    "{file}：第一行应为列名，且包含 user_id",
)
_TOO_LARGE = Words("{file}: larger than 256 MiB", "{file}：超过 256 MiB")
_TOO_MANY = Words("{file}: more than 1000000 users", "{file}：超过 1000000 个用户")
_NO_UTF8 = Words("{file}: not UTF-8", "{file}：不是 UTF-8 编码")

_FLAGS = {
    "true": True, "1": True, "yes": True,
    "false": False, "0": False, "no": False, "": False,
}  # fmt: skip
EXPORT_COLUMNS = (
    "user_id", "password_hash", "salt", "is_superuser", "password_hash_algorithm",
)  # fmt: skip


def read_users(
    content: bytes,
    *,
    file: str,
    format_: FileFormat,
    kind: FileKind,
    settings: HashSettings,
) -> list[NewUser]:
    """Every user of a file; nothing is taken from a file with a bad line.

    Raises:
        ImportFileError: what is wrong with the file, or with which of its users.
    """
    if len(content) > FILE_BYTES_MAX:
        raise ImportFileError(_TOO_LARGE.format(file=file))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportFileError(_NO_UTF8.format(file=file)) from None
    records = _json_records(text, file) if format_ == "json" else _csv_records(text, file)
    users: list[NewUser] = []
    seen: set[str] = set()
    for number, record in enumerate(records, start=1):
        if number > USERS_MAX:
            raise ImportFileError(_TOO_MANY.format(file=file))
        try:
            user = _user(record, kind, settings)
            if user.user_id in seen:
                raise SettingError(_TWICE)
        except SettingError as error:
            words = error.words
            raise ImportFileError(
                Words(
                    _PLACE.en.format(file=file, number=number, reason=words.en),
                    _PLACE.zh.format(file=file, number=number, reason=words.zh),
                )
            ) from None
        seen.add(user.user_id)
        users.append(user)
    return users


def _json_records(text: str, file: str) -> Iterator[Mapping[str, Any]]:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ImportFileError(_NO_JSON.format(file=file, reason=str(error))) from None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise ImportFileError(_NO_LIST.format(file=file))
    return iter(records)


def _csv_records(text: str, file: str) -> Iterator[Mapping[str, Any]]:
    csv.field_size_limit(FIELD_BYTES_MAX)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        if "user_id" not in (reader.fieldnames or ()):
            raise ImportFileError(_NO_HEADER.format(file=file))
        yield from reader
    except csv.Error as error:
        raise ImportFileError(_NO_CSV.format(file=file, reason=str(error))) from None


def _user(record: Mapping[str, Any], kind: FileKind, settings: HashSettings) -> NewUser:
    user_id = _text(record, "user_id")
    if not user_id:
        raise SettingError(_NO_USER_ID)
    if len(user_id.encode("utf-8", "replace")) > USER_ID_BYTES_MAX or "\0" in user_id:
        raise SettingError(_BAD_USER_ID)
    is_superuser = _flag(record.get("is_superuser"))
    if kind == "plain":
        password = _text(record, "password")
        # An empty one, too: whoever knows the name would get in.
        if not password:
            raise SettingError(_NO_PASSWORD)
        return NewUser(user_id=user_id, password=Secret(password), is_superuser=is_superuser)
    stored = _text(record, "password_hash")
    if not stored:
        raise SettingError(_NO_HASH)
    credential = Credential(
        settings=_settings(record.get("password_hash_algorithm"), settings),
        password_hash=stored,
        salt=_text(record, "salt") or "",
    )
    return NewUser(user_id=user_id, credential=check(credential), is_superuser=is_superuser)


def _text(record: Mapping[str, Any], name: str) -> str | None:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)


def _flag(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    flag = _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise SettingError(_BAD_FLAG)
    return flag


def _settings(said: object, default: HashSettings) -> HashSettings:
    """The algorithm that a user brings along, else the one said beside the file."""
    if said is None or said == "":
        return default
    try:
        members = json.loads(said) if isinstance(said, str) else said
    except ValueError:
        members = None
    allowed: dict[str, Callable[[object], bool]] = {
        "name": lambda value: value in algorithm_names(),
        "salt_position": lambda value: value in get_args(SaltPosition),
        "mac_fun": lambda value: value in get_args(MacFunction),
        "iterations": lambda value: isinstance(value, int),
        "dk_length": lambda value: isinstance(value, int) and 0 <= value <= DERIVED_BYTES_MAX,
    }
    if not isinstance(members, dict) or not all(
        name not in allowed or allowed[name](value) for name, value in members.items()
    ):
        raise SettingError(_BAD_ALGORITHM)
    return settings_from_json(members)


def write_users(users: Iterable[User], format_: FileFormat) -> str:
    """Users with their hashes, as :func:`read_users` takes them with ``kind="hash"``."""
    records = (
        {
            "user_id": user.user_id,
            "password_hash": user.credential.password_hash,
            "salt": user.credential.salt,
            "is_superuser": user.is_superuser,
            "password_hash_algorithm": settings_to_json(user.credential.settings),
        }
        for user in users
    )
    if format_ == "json":
        return json.dumps(list(records), ensure_ascii=False, indent=1) + "\n"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, EXPORT_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in records:
        record["is_superuser"] = "true" if record["is_superuser"] else "false"
        record["password_hash_algorithm"] = json.dumps(record["password_hash_algorithm"])
        writer.writerow(record)
    return out.getvalue()
