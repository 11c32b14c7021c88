"""How single values change between the old files and ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rookery.config import values
from rookery.config.importing.model import Changed, Convert, Setting, UnsupportedError, Words
from rookery.config.schema.tls import SUITES

# Longest first: %cn is not %c and an n.
PLACEHOLDERS = (
    ("%cn", "${cert_common_name}"),
    ("%dn", "${cert_subject}"),
    ("%u", "${username}"),
    ("%c", "${clientid}"),
    ("%a", "${peerhost}"),
    ("%P", "${password}"),
    ("%C", "${cert_common_name}"),
    ("%d", "${cert_subject}"),
    ("%r", "${proto_name}"),
    ("%p", "${sockport}"),
    ("%l", "${sockport}"),
    ("%m", "${mountpoint}"),
    ("%t", "${topic}"),
    ("%A", "${action}"),
    ("%h", "${host}"),
)
TLS_OLD = ("tlsv1.1", "tlsv1", "sslv3")
TLS_HERE = ("tlsv1.3", "tlsv1.2")
CHAIN_DEPTH_MAX = 6

NO_OLD_TLS = Words("TLS 1.1 and older are refused", "不支持 TLS 1.1 及更早版本")
NO_OLD_SUITES = Words(
    "only suites with forward secrecy and AEAD are offered", "仅提供具备前向保密的 AEAD 密码套件"
)


def placeholders(text: str) -> str:
    """``%u`` and its kind in today's words."""
    for old, new in PLACEHOLDERS:
        text = text.replace(old, new)
    return text


def text(setting: Setting) -> str:
    return setting.value


def template(setting: Setting) -> Any:
    """Text with placeholders."""
    return placeholders(setting.value)


def whole(setting: Setting) -> int:
    return int(setting.value)


def flag(setting: Setting) -> bool:
    match setting.value.lower():
        case "on" | "true" | "yes" | "1":
            return True
        case "off" | "false" | "no" | "0":
            return False
    raise ValueError("not a switch")


def duration(setting: Setting) -> str:
    """A length of time; a number alone counted seconds."""
    raw = setting.value.replace(" ", "")
    if raw.isdigit():
        raw = f"{raw}s"
    values.parse_duration_ms(raw)
    return raw


def size(setting: Setting) -> str:
    values.parse_bytesize(setting.value)
    return setting.value.replace(" ", "")


def zero_is(word: Any, convert: Convert) -> Convert:
    """0 had a meaning of its own that has a word here."""

    def converted(setting: Setting) -> Any:
        if setting.value.rstrip("smhdKMGBkb ") == "0":
            return word
        return convert(setting)

    return converted


def words(**meanings: Any) -> Convert:
    """One word for another; what is not named stays as it is."""

    def converted(setting: Setting) -> Any:
        return meanings.get(setting.value, setting.value)

    return converted


def only(allowed: dict[str, Any], why: Words) -> Convert:
    """Words of which some have no counterpart."""

    def converted(setting: Setting) -> Any:
        if setting.value not in allowed:
            raise UnsupportedError(why)
        return allowed[setting.value]

    return converted


def one_of(*allowed: str) -> Convert:
    """Words that mean the same here."""

    def converted(setting: Setting) -> str:
        if setting.value not in allowed:
            raise ValueError("not one of the words")
        return setting.value

    return converted


def some_text(setting: Setting) -> str:
    if not setting.value:
        raise ValueError("empty")
    return setting.value


def timeout(setting: Setting) -> str:
    """A length of time, or none."""
    return setting.value if setting.value == "infinity" else duration(setting)


def verify(setting: Setting) -> str:
    """Whether a service must show a good certificate: a switch or TLS's words."""
    if setting.value in ("verify_peer", "verify_none"):
        return setting.value
    return "verify_peer" if flag(setting) else "verify_none"


def flapping(setting: Setting) -> str:
    """``30, 1m, 5m``: times, window, ban; before 4.0 without the last."""
    times, *durations = (part.strip() for part in setting.value.split(","))
    int(times)
    if not 1 <= len(durations) <= 2:
        raise ValueError("two or three parts")
    for text_ in durations:
        values.parse_duration_ms(text_)
    return setting.value


def bind(setting: Setting) -> str:
    """A port alone meant every address, as here."""
    return str(values.parse_address(setting.value, default_host="0.0.0.0"))


def per_second(setting: Setting) -> str:
    return f"{int(setting.value)}/s"


def rate(setting: Setting) -> Any:
    """``100KB,10s``, or in 3.0 ``rate,burst``."""
    amount, _, rest = (part.strip() for part in setting.value.partition(","))
    values.parse_bytesize(amount)
    if not rest or rest.isdigit():
        return Changed(
            f"{amount}/s",
            Words("the burst after the comma is not kept", "逗号后的突发量不保留"),
        )
    values.parse_duration_ms(rest)
    return f"{amount}/{rest.replace(' ', '')}"


def multiplier(setting: Setting) -> float:
    """A client was gone after Keep Alive times twice the back-off."""
    return round(float(setting.value) * 2, 6)


def commas(setting: Setting) -> list[str]:
    return [part.strip() for part in setting.value.split(",") if part.strip()]


def versions(setting: Setting) -> Any:
    named = commas(setting)
    kept = [version for version in TLS_HERE if version in named]
    if not kept:
        raise UnsupportedError(NO_OLD_TLS)
    return Changed(kept, NO_OLD_TLS) if any(old in named for old in TLS_OLD) else kept


def ciphers(setting: Setting) -> Any:
    """Suites that are left; all of those offered here is no setting at all."""
    named = [word.upper() for word in commas(setting)]
    kept = [word for word in SUITES if word in named]
    if not kept:
        raise UnsupportedError(NO_OLD_SUITES)
    if len(kept) == len(named):
        return kept
    return Changed(kept, NO_OLD_SUITES)


def depth(setting: Setting) -> Any:
    number = int(setting.value)
    if number <= CHAIN_DEPTH_MAX:
        return number
    return Changed(
        CHAIN_DEPTH_MAX,
        Words("certificate chains are at most 6 long", "证书链最长为 6"),
    )


def priorities(setting: Setting) -> Any:
    """``t/1=10,t/2=8``."""
    if setting.value in ("", "none"):
        return "disabled"
    pairs = [part.partition("=") for part in commas(setting)]
    return {topic.strip(): int(number) for topic, _, number in pairs}


def topic_levels(setting: Setting) -> int:
    return int(setting.value) or 65_535


def in_flight(setting: Setting) -> int:
    return int(setting.value) or 65_535


def file_path(setting: Setting) -> Any:
    """Paths were relative to the folder above ``etc``; here they are written in full."""
    path = Path(setting.value)
    if path.is_absolute():
        return str(path)
    found = find_beside(setting.file, setting.value)
    if found is None:
        home = home_of(setting.file)
        return Changed(
            str(home / path),
            Words(
                "the file is not there; put it at this place or change the path",
                "该文件不存在，请放到此路径或修改路径",
            ),
        )
    return Changed(
        str(found),
        Words("written as an absolute path", "改写为绝对路径"),
    )


def home_of(file: Path) -> Path:
    """The folder that held ``etc``."""
    folder = file.absolute().parent
    for candidate in (folder, *folder.parents):
        if candidate.name == "etc":
            return candidate.parent
    return folder


def find_beside(file: Path, named: str) -> Path | None:
    """A file named in ``file``: relative to the home, or lying beside it."""
    path = Path(named)
    if path.is_absolute():
        return path if path.is_file() else None
    folder = file.absolute().parent
    without_etc = Path(*path.parts[1:]) if path.parts[:1] == ("etc",) else path
    for candidate in (home_of(file) / path, folder / path, folder / without_etc):
        if candidate.is_file():
            return candidate.resolve()
    return None
