"""Links to other clusters: rules between them, what to warn of, and what the core is given.

Loaded where there are links.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rookery.config.check import Checked
from rookery.config.on_machine import FILE_URL
from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.tree import join_path
from rookery.native.links import Link, LinkTls
from rookery.words import Words

PATH = ("cluster", "links")
INFLIGHT_MAX = 65_535
"""There are no more packet identifiers."""
PRIVATE_ENDS = (
    ".local", ".internal", ".lan", ".localhost", ".localdomain", ".home.arpa", ".intranet", ".svc",
)  # fmt: skip
"""Names that end so, and those without a dot, are only known inside a network."""

Values = dict[str, Any]


def problems(checked: Checked) -> Iterator[Problem]:
    """What is wrong between links that are right by themselves."""
    own = checked.values["cluster"]["name"]
    seen: dict[str, str] = {}
    for index, item in enumerate(checked.values["cluster"]["links"], 1):
        here = (*PATH, str(index))
        name, path = item["name"], (*here, "name")
        origin = checked.origins.get(path)
        if name == own:
            reasons = {
                "en": "it is this cluster's own name (cluster.name)",
                "zh": "与本集群名称（cluster.name）相同",
            }
            yield Problem("setting", join_path(path), origin, value=name, reasons=reasons)
        if name in seen:
            yield Problem("doubled", join_path(path), origin, value=name, near=seen[name])
        seen.setdefault(name, join_path(here))
        yield from _pairs(checked, here, item)


def _pairs(checked: Checked, here: tuple[str, ...], item: Values) -> Iterator[Problem]:
    """What needs another key as well."""
    tls = item["ssl"]
    for one, other in (("keyfile", "certfile"), ("password", "certfile")):
        if tls[one] and not tls[other]:
            path = (*here, "ssl", one)
            near = join_path((*here, "ssl", other))
            yield Problem("needs", join_path(path), checked.origins.get(path), near=near)


def warnings(checked: Checked) -> Iterator[Problem]:
    """Links that anybody on the way can read."""
    for index, item in enumerate(checked.values["cluster"]["links"], 1):
        host = unprotected(item)
        if host is not None and item["enable"]:
            path = (*PATH, str(index), "server")
            origin = checked.origins.get(path)
            yield Problem("link_plain", join_path(path), origin, value=host)


def unprotected(item: Values) -> str | None:
    """The address outside private networks that a link reaches without TLS; none: there is none."""
    if is_encrypted(item):
        return None
    hosts = (host for host, _ in item["server"].addresses)
    return next((host for host in hosts if not is_private(host)), None)


def is_encrypted(item: Values) -> bool:
    """Whether a link goes over TLS."""
    return bool(item["ssl"]["enable"] or item["server"].is_tls)


def is_private(host: str) -> bool:
    """Whether what goes there stays in a private network, as far as the address tells."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith(PRIVATE_ENDS)
    return address.is_private or address.is_loopback or address.is_link_local


def password_file(item: Values) -> Path | None:
    """The file that holds the password of a link; none where it stands there itself."""
    text = "" if item["password"] is None else item["password"].reveal()
    return Path(text[len(FILE_URL) :]) if text.startswith(FILE_URL) else None


def native_link(item: Values, cluster: str, at: tuple[str, ...] = ()) -> Link:
    """A link as the core is told it; reads its files.

    Args:
        item: Its checked values.
        cluster: Name of this cluster.
        at: Where it stands.

    Raises:
        InvalidConfigError: a file cannot be used.
    """
    opts, accept, more = item["resource_opts"], item["accept"], item["extensions"]
    return Link(
        name=item["name"],
        enable=item["enable"],
        servers=list(item["server"].addresses),
        client_id=item["clientid"] or cluster,
        username=item["username"],
        password=_password(item, at),
        tls=_tls(item["ssl"], (*at, "ssl")) if is_encrypted(item) else None,
        topics=list(item["topics"]),
        pool_size=item["pool_size"],
        retry_interval_ms=item["retry_interval"],
        max_inflight=item["max_inflight"] or INFLIGHT_MAX,
        buffer_bytes_max=opts["max_buffer_bytes"],
        request_ttl_ms=opts["request_ttl"],
        connect_timeout_ms=opts["start_timeout"],
        health_check_interval_ms=opts["health_check_interval"],
        order_by_client=opts["dispatch_strategy"] == "per_clientid",
        accept_username=accept["username"],
        accept_cert_cn=accept["cert_cn"],
        accept_clientid_prefix=accept["clientid_prefix"],
        show_to_rules=more["rules"],
        sync_retained=more["retained"],
        store_bytes_max=more["store"]["max_bytes"] if more["store"]["enable"] else 0,
        store_age_ms=more["store"]["max_age"],
    )


def _password(item: Values, at: tuple[str, ...]) -> bytes | None:
    file = password_file(item)
    if file is not None:
        return _read(file, (*at, "password")).strip()
    return None if item["password"] is None else item["password"].reveal().encode()


def _tls(item: Values, at: tuple[str, ...]) -> LinkTls:
    # As in EMQX: without a file of its own the key stands beside the certificate.
    key = _pem(item["keyfile"] or item["certfile"], (*at, "keyfile"))
    if key is not None and b"PRIVATE KEY-----" not in key:
        raise _unfit((*at, "keyfile"), Words("it holds no private key", "不含私钥"))
    if key is not None and item["password"] is not None:
        key = _unlocked(key, item["password"].reveal(), (*at, "password"))
    return LinkTls(
        ca_pem=_pem(item["cacertfile"], (*at, "cacertfile")),
        cert_pem=_pem(item["certfile"], (*at, "certfile")),
        key_pem=key,
        verify=item["verify"] == "verify_peer",
        server_name=item["server_name_indication"],
    )


def _pem(text: str | None, at: tuple[str, ...]) -> bytes | None:
    if not text:
        return None
    found = text.encode() if text.startswith("-----BEGIN ") else _read(Path(text), at)
    if b"-----BEGIN " not in found:
        raise _unfit(at, Words("it holds nothing in PEM format", "不含 PEM 格式的内容"))
    return found


def _unlocked(key: bytes, password: str, at: tuple[str, ...]) -> bytes:
    # Few links have such a key.
    from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415

    try:
        opened = pem.load_pem_private_key(key, password.encode())
    except TypeError:
        return key  # it has no password
    except ValueError:
        raise _unfit(at, Words("it does not open the key", "无法用其解密私钥")) from None
    return opened.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption())


def _read(file: Path, at: tuple[str, ...]) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise _unfit(at, Words(f"{file}: {reason}", f"{file}：{reason}")) from error


def _unfit(at: tuple[str, ...], words: Words) -> InvalidConfigError:
    reasons = {"en": words.en, "zh": words.zh}
    return InvalidConfigError([Problem("unfit", join_path(at), reasons=reasons)])
