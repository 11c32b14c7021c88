"""Keeps secrets out of what people are shown: of values that the schema does not know, and of URLs.

The schema says which of its own keys are secret; here is what a key or a text looks like that
nobody described, such as a header or a key in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

HIDDEN = "******"
_DEPTH_MAX = 64

_WORDS = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|cookie|credential|authorization"
    r"|(?:api|private|access|auth|signing|shared)[_-]?key|hmac|bearer|psk|sso_code"
)
_SECRET_KEY = re.compile(rf"{_WORDS}|^key$", re.IGNORECASE)
# Such keys are about a secret and hold none: password_hash_algorithm, secret_base64_encoded.
_ABOUT = re.compile(
    r"[_-](?:algorithm|encoded|file|path|type|name|time|timeout|interval|length|size|enable|max\w*)$",
    re.IGNORECASE,
)
# Parts of a configuration whose names look like a secret's.
_SECTIONS = frozenset({"authorization", "api_key", "psk_authentication"})
# What is looked through may come from anybody: every repetition before a mark has a bound, so that
# no text takes longer than its length says.
_IN_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31}://)[^/\s?#]*@")
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,31}://)(?P<user>[^/\s?#]*@)?(?P<host>[^/\s?#@]*)"
)
# What a client sends, such as token=${password}, is no secret of whoever wrote that.
_NO_PLACEHOLDER = r"""(?!["']?\$\{[A-Za-z_.][\w.]{0,255}\}["']?(?:[\s,;&#}\])]|$))"""
# The mechanism's name in front of a backend (password_based:redis) is no key with its value.
_IN_TEXT = re.compile(
    rf"""((?!password_based:)(?:{_WORDS})[\w-]{{0,64}}["']?\s{{0,8}}[=:]\s{{0,8}}){_NO_PLACEHOLDER}("[^"]*"?|'[^']*'?|[^\s,;&}}\]]+)""",
    re.IGNORECASE,
)
_IN_QUERY = re.compile(
    rf"([?&](?:[\w.-]{{0,64}}(?:{_WORDS})[\w.-]{{0,64}}|key)=){_NO_PLACEHOLDER}[^&#\s]+",
    re.IGNORECASE,
)
# A name and a password before an address that has no scheme to be known by.
_BEFORE_HOST = re.compile(r"""(?<![^\s/@"'])[^\s:/@"']{1,256}:(?!//)[^\s"']{1,512}@(?=[\w\[])""")
_ADDRESS_KEY = re.compile(
    r"^(?:\w{1,64}_)?(?:server|host|url|uri|address|endpoint|broker)(?:e?s)?$", re.IGNORECASE
)
# One of them is in everything that _WORDS finds.
_HINTS = (
    *("passw", "passphrase", "pwd", "secret", "token", "cookie", "credential", "authorization"),
    *("key", "hmac", "bearer", "psk", "sso_code"),
)
# Of the headers of a request these say nothing secret; any other may be a key by whatever name.
_PLAIN_HEADERS = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control"),
        *("connection", "content-type", "host", "keep-alive", "user-agent"),
    }
)
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
_PRIVATE_KEY = "PRIVATE KEY-----"
_PORTS = {"http": "80", "https": "443"}
# Texts that say what is sent, and never where to: a secret in them stays where they go.
_SENT = frozenset({"body", "sql", "payload", "template", "value", "command_template"})
# In the place of a mask: where this is hidden as well, the mask stands for a secret.
_PROBE = "Zq8w:5xK"


def looks_secret(key: str) -> bool:
    """Whether what stands under ``key`` is nobody's business."""
    return bool(_SECRET_KEY.search(key)) and not _ABOUT.search(key)


def without_secrets(value: Any, key: str = "") -> Any:
    """``value`` as it may be shown: whatever looks like a secret in it, at any depth, is hidden."""
    return _of_key(value, key, text_without_secrets)


def quoted_without_secrets(value: Any, key: str = "") -> Any:
    """The same for what is wrong where it stands: an address with a password may be anywhere."""
    return _of_key(value, key, _quoted)


def _of_key(value: Any, key: str, shown: Callable[[str], str]) -> Any:
    if (hide := _PARTS.get(key.lower())) is not None:
        return hide(value, 0)
    return _masked(value, key, looks_secret(key), 0, shown)


def _masked(value: Any, key: str, is_secret: bool, depth: int, shown: Callable[[str], str]) -> Any:
    """What stands at ``key``. ``shown``: how text is shown that is neither secret nor address."""
    if depth > _DEPTH_MAX:
        return HIDDEN
    if isinstance(value, dict):
        return {
            name: path_without_secrets(item)
            if isinstance(item, str) and is_path_of_request(str(name), key)
            else _PARTS[str(name).lower()](item, depth + 1)
            if str(name).lower() in _PARTS
            else _masked(item, str(name), is_secret or _hides(str(name), item), depth + 1, shown)
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_masked(item, key, is_secret, depth + 1, shown) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if is_secret:
        return value if isinstance(value, str) and _PLACEHOLDER.fullmatch(value) else HIDDEN
    if not isinstance(value, str):
        return value
    return address_without_secrets(value) if _ADDRESS_KEY.match(key) else shown(value)


def header_without_secrets(value: Any, name: str) -> Any:
    """The value of a header as it may be shown."""
    return _masked(value, "", name.lower() not in _PLAIN_HEADERS, 0, text_without_secrets)


def _masked_headers(headers: Any, depth: int) -> Any:
    if not isinstance(headers, dict):
        # Written in another way, such as a list of pairs: nothing says which of it is a key.
        return _masked(headers, "", True, depth + 1, text_without_secrets)
    return {
        name: _masked(
            value, "", str(name).lower() not in _PLAIN_HEADERS, depth + 1, text_without_secrets
        )
        for name, value in headers.items()
    }


def template_without_secrets(value: Any, name: str, depth: int = 0) -> Any:
    """A member of what a service is sent as it may be shown: what has no placeholder may be a key of
    that service, by whatever name.
    """
    if isinstance(value, dict) and depth < _DEPTH_MAX:
        return {
            key: template_without_secrets(item, str(key), depth + 1) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)) and depth < _DEPTH_MAX:
        return [template_without_secrets(item, name, depth + 1) for item in value]
    has_placeholder = isinstance(value, str) and _PLACEHOLDER.search(value) is not None
    is_secret = not has_placeholder or looks_secret(name)
    return _masked(value, "", is_secret, depth, text_without_secrets)


def _masked_body(body: Any, depth: int) -> Any:
    if not isinstance(body, dict):
        # One text, such as the template of an action, or whatever stands there by mistake.
        return _masked(body, "", False, depth, text_without_secrets)
    return template_without_secrets(body, "", depth)


_PARTS: Mapping[str, Callable[[Any, int], Any]] = {
    "headers": _masked_headers,
    "body": _masked_body,
}
"""Parts of a request to a service, whose names the user chooses: these show what is known to be none
of its keys."""


def _hides(name: str, item: Any) -> bool:
    section, dot, rest = name.partition(".")
    if dot and section in _SECTIONS:
        # A whole path, such as authorization.no_match: what it leads to says what it is.
        return looks_secret(rest)
    is_section = name in _SECTIONS and isinstance(item, (dict, list))
    return looks_secret(name) and not is_section


def url_without_secrets(text: str) -> str:
    """``text`` without the name and password of a URL, its tokens, and keys written out."""
    if _PRIVATE_KEY in text:
        return HIDDEN
    if "@" in text:
        text = _IN_URL.sub(rf"\1{HIDDEN}@", text)
    return _IN_QUERY.sub(rf"\1{HIDDEN}", text) if "=" in text else text


def service_url_without_secrets(text: str) -> str:
    """The same of a URL that a service is asked at: what has no placeholder in its query may be a
    key of that service, by whatever name.
    """
    return _each_parameter(url_without_secrets(text), _hidden_parameter)


def is_address(key: str) -> bool:
    """Whether what stands under ``key`` is an address or a URL."""
    return _ADDRESS_KEY.match(key) is not None


def is_shown(value: Any, known: Any) -> bool:
    """Whether ``value`` is how the text ``known`` is shown, with a secret of its URL hidden."""
    is_hiding = isinstance(value, str) and HIDDEN in value and isinstance(known, str)
    return is_hiding and any(value == way(known) for way in _WAYS)


def stands_for_a_secret(text: str) -> bool:
    """Whether a part of ``text`` is hidden, so that it cannot be used as it is."""
    if HIDDEN not in text:
        return False
    probed = text.replace(HIDDEN, _PROBE)
    count = probed.count(_PROBE)
    return text.strip() == HIDDEN or any(way(probed).count(_PROBE) < count for way in _WAYS)


def with_its_secrets(value: str, known: Any, key: str = "") -> str:
    """``value``, which stands at ``key``, with the secrets of ``known`` where it hides them.

    Of a URL only while scheme, host and port are the same: a secret goes nowhere but where it was
    meant for.
    """
    if HIDDEN not in value or not isinstance(known, str):
        return value
    shown, meant = _URL.match(value), _URL.match(known)
    if shown is None and meant is None:
        value = _with_its_texts(value, known) if key in _SENT else value
        is_path = value.startswith("/") and known.startswith("/")
        is_same = value.partition("?")[0] == known.partition("?")[0]
        return _each_parameter(value, _Known(known).parameter) if is_path or is_same else value
    if shown is None or meant is None or _goes_to(shown) != _goes_to(meant):
        return value
    value, has_user = value[shown.end() :], shown["user"] == f"{HIDDEN}@" and meant["user"]
    beginning = f"{shown['scheme']}{meant['user']}{shown['host']}" if has_user else shown[0]
    return beginning + _each_parameter(value, _Known(known[meant.end() :]).parameter)


def _goes_to(url: re.Match[str]) -> tuple[str, str]:
    """Scheme and host of a URL, however they are written."""
    scheme, host = url["scheme"].lower(), url["host"].lower()
    return scheme, host.removesuffix(f":{_PORTS.get(scheme.removesuffix('://'), '')}")


def _with_its_texts(value: str, known: str) -> str:
    """``value`` with what follows a word for a secret in ``known``, each given out once."""
    secrets: dict[str, list[str]] = {}
    for found in _IN_TEXT.finditer(known):
        secrets.setdefault(_word(found[1]), []).append(found[2])

    def filled(found: re.Match[str]) -> str:
        is_hidden = found[2].strip("\"'") == HIDDEN
        left = secrets.get(_word(found[1])) if is_hidden else None
        return f"{found[1]}{left.pop(0)}" if left else found[0]

    return _IN_TEXT.sub(filled, value)


def _word(before: str) -> str:
    return before.strip("\"' \t\r\n=:").lower()


class _Known:
    """The parameters of a URL, each given out once."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, list[str]] = {}
        _each_parameter(text, self._note)

    def parameter(self, text: str) -> str:
        """``text``, with its value where that is hidden."""
        name, equals, value = _parameter(text)
        values = self._values.get(name) if value == HIDDEN else None
        return f"{name}{equals}{values.pop(0)}" if values else text

    def _note(self, text: str) -> str:
        # Those alone that are hidden: the others stand in what is shown.
        if _hidden_parameter(url_without_secrets(f"?{text}")[1:]) != text:
            name, _, value = _parameter(text)
            self._values.setdefault(name, []).append(value)
        return text


def _each_parameter(text: str, change: Callable[[str], str]) -> str:
    """A URL with what ``change`` makes of each parameter of its query."""
    before, mark, query = text.partition("?")
    query, hash_mark, fragment = query.partition("#")
    changed = "&".join(map(change, query.split("&")))
    return f"{before}{mark}{changed}{hash_mark}{fragment}"


def _parameter(text: str) -> tuple[str, str, str]:
    return text.partition("=") if "=" in text else ("", "", text)


def _hidden_parameter(text: str) -> str:
    name, equals, value = _parameter(text)
    return text if not value or _PLACEHOLDER.search(value) else f"{name}{equals}{HIDDEN}"


def is_path_of_request(key: str, above: str) -> bool:
    """Whether what stands under ``key``, below ``above``, is asked of a service with its query."""
    return key == "path" and above == "parameters"


def path_without_secrets(text: str) -> str:
    """The path of a request, whose query may hold a key of that service by whatever name."""
    return service_url_without_secrets(text_without_secrets(text))


def address_without_secrets(text: str) -> str:
    """One address, or several with commas between them, without names and passwords."""
    before, _, host = text.rpartition("@")
    if "://" in text:
        return service_url_without_secrets(_quoted(text))
    if ":" not in before:
        return _quoted(text)
    # The password may hold anything, an @ and commas too.
    return f"{HIDDEN}@{host}"


def _quoted(text: str) -> str:
    text = text_without_secrets(text)
    return _BEFORE_HOST.sub(f"{HIDDEN}@", text) if "@" in text else text


def text_without_secrets(text: str) -> str:
    """The same, and without what follows a word for a secret: ``password=…``."""
    text = url_without_secrets(text)
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return text
    return _IN_TEXT.sub(rf"\1{HIDDEN}", text)


_WAYS = (
    *(url_without_secrets, text_without_secrets, address_without_secrets),
    *(service_url_without_secrets, path_without_secrets),
)
"""In which a text may be shown."""


def assignment_without_secrets(text: str) -> str:
    """What somebody gave for ``key=value`` and is not of that form."""
    key, equals, _ = text.partition("=")
    if equals:
        return f"{key}={HIDDEN}"
    shown = text_without_secrets(text)
    if shown == text and _SECRET_KEY.search(text):
        return re.split(r"[^\w.]", text, maxsplit=1)[0] + "…"
    return shown
