"""The configuration file: everything but secrets, for people to read and change."""

from __future__ import annotations

import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rookery.agent.failures import AgentError
from rookery.agent.places import write_whole
from rookery.agent.texts import say

DEFAULT_CLUSTER_URL = "http://127.0.0.1:18083"
DEFAULT_LOG_DIR = "/opt/emqx/log"
LOG_LEVELS = ("debug", "info", "warning", "error")
OTHERS_MAX = 16
_FILE_BYTES_MAX = 64 * 1024
_HOST = re.compile(r"[^\s/@?#]+")
_HEAD = """\
# The agent of Rookery. Passwords and tokens are not here but in state/secrets, encrypted.
# After a change: rookery-agent restart

"""


@dataclass(frozen=True)
class Settings:
    """How the agent reaches the control plane and its cluster."""

    url: str = ""
    insecure_skip_verify: bool = False
    api_url: str = DEFAULT_CLUSTER_URL
    dashboard_url: str = DEFAULT_CLUSTER_URL
    # Further nodes of the cluster, with commas between; asked where the ones above do not answer.
    other_urls: str = ""
    # Whether the certificate of a cluster on this very machine is checked, too.
    verify_local_cluster: bool = False
    log_collection_enabled: bool = False
    log_collection_dir: str = DEFAULT_LOG_DIR
    log_level: str = "info"
    log_bytes_max: int = 10 * 1024 * 1024
    log_files_kept: int = 5

    @property
    def others(self) -> tuple[str, ...]:
        """Addresses of further nodes of the cluster."""
        return tuple(self.other_urls.split(",")) if self.other_urls else ()


_SECTIONS: Mapping[str, Mapping[str, str]] = {
    "control": {"url": "url", "insecure_skip_verify": "insecure_skip_verify"},
    "cluster": {
        "api_url": "api_url",
        "dashboard_url": "dashboard_url",
        "other_urls": "other_urls",
        "verify_local": "verify_local_cluster",
    },
    "logs": {"enabled": "log_collection_enabled", "dir": "log_collection_dir"},
    "log": {"level": "log_level", "bytes_max": "log_bytes_max", "files_kept": "log_files_kept"},
}


def checked_url(text: str, name: str) -> str:
    """An address without what follows the port, ``http`` or ``https``.

    Raises:
        AgentError: it is none.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    is_plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in ("http", "https") or not host or not _HOST.fullmatch(host):
        raise AgentError(say("url.bad", name=name, value=text[:200]))
    if not is_plain or parts.path.strip("/"):
        raise AgentError(say("url.bad", name=name, value=text[:200]))
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def checked_urls(text: str, name: str) -> str:
    """Addresses with commas between.

    Raises:
        AgentError: one is none, or there are too many.
    """
    found = [checked_url(one, name) for one in text.split(",") if one.strip()]
    if len(found) > OTHERS_MAX:
        raise AgentError(say("url.many", name=name, most=OTHERS_MAX))
    return ",".join(found)


def parse(text: str, source: str = "agent.conf") -> Settings:
    """Read the text of the file; what is absent has its default.

    Raises:
        AgentError: it cannot be used; says where.
    """
    reader = configparser.ConfigParser(interpolation=None, strict=True)
    try:
        reader.read_string(text)
    except configparser.Error as error:
        first = str(error).splitlines()[0]
        raise AgentError(say("config.bad", file=source, reason=first)) from error
    found: dict[str, Any] = {}
    for section, keys in _SECTIONS.items():
        for key, attribute in keys.items():
            if not reader.has_option(section, key):
                continue
            given = reader.get(section, key)
            where = f"[{section}] {key}"
            found[attribute] = _value(attribute, given, where, source)
    return Settings(**found)


def _value(attribute: str, given: str, where: str, source: str) -> str | bool | int:
    default = getattr(Settings, attribute)
    if isinstance(default, bool):
        state = configparser.ConfigParser.BOOLEAN_STATES.get(given.lower())
        if state is None:
            raise AgentError(say("config.value", file=source, key=where, value=given[:80]))
        return state
    if isinstance(default, int):
        if not (given.isascii() and given.isdecimal() and len(given) < 12):
            raise AgentError(say("config.value", file=source, key=where, value=given[:80]))
        return int(given)
    if attribute in ("api_url", "dashboard_url") or (attribute == "url" and given):
        return checked_url(given, where)
    if attribute == "other_urls":
        return checked_urls(given, where)
    if attribute == "log_level" and given not in LOG_LEVELS:
        raise AgentError(say("config.value", file=source, key=where, value=given[:80]))
    if "\0" in given or "\n" in given or len(given) > 4096:
        raise AgentError(say("config.value", file=source, key=where, value=given[:80]))
    return given


def written(settings: Settings) -> str:
    """The text of the file."""
    lines = [_HEAD]
    for section, keys in _SECTIONS.items():
        lines.append(f"[{section}]\n")
        for key, attribute in keys.items():
            value = getattr(settings, attribute)
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            lines.append(f"{key} = {shown}\n")
        lines.append("\n")
    return "".join(lines)


def load(path: Path) -> Settings:
    """Read the file; without one everything is as it is by default.

    Raises:
        AgentError: it cannot be read or used.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_FILE_BYTES_MAX + 1)
        text = data.decode("utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(say("file.unreadable", file=path, reason=error)) from error
    if len(data) > _FILE_BYTES_MAX:
        raise AgentError(say("config.bad", file=path, reason="too long"))
    return parse(text, str(path))


def save(path: Path, settings: Settings) -> None:
    """Write the file anew."""
    write_whole(path, written(settings).encode(), 0o644)
