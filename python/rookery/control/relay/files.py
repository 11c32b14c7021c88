"""The certificates of the relay: what it shows, whom it lets in, and what edges are given.

They are looked at before the port opens, so that a file that is missing, does not fit or has expired is
named in one line with its setting, and not found out by two hundred edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from rookery.access.own_certificates import Certificates
from rookery.access.system_words import words_of_error
from rookery.config.control import ControlConfig
from rookery.errors import StartError
from rookery.types import Secret
from rookery.words import Words

_OPTIONS = "control.relay.ssl_options"
_CLIENT = "control.mqtt"
_ISSUERS_MAX = 8

_UNREADABLE = Words(
    "{setting}: {file} cannot be read ({why}): put the file there, or `rookery tls init --relay` makes one",
    "{setting}：无法读取 {file}（{why}）：请放置该文件，或用 `rookery tls init --relay` 生成",
)
_NO_CERTIFICATE = Words(
    "{setting}: {file} holds no certificate in PEM format",
    "{setting}：{file} 中没有 PEM 格式的证书",
)
_NO_KEY = Words(
    "{setting}: {file} holds no private key that can be read ({why}): is it the key, and its password right?",
    "{setting}：无法从 {file} 读取私钥（{why}）：请检查是否为私钥文件以及密码是否正确",
)
_OTHER_KEY = Words(
    "{setting}: {file} is not the key of the certificate in {other}",
    "{setting}：{file} 与 {other} 中的证书不匹配",
)
_ENDED = Words(
    "{setting}: the certificate in {file} expired on {day}: put a new one there",
    "{setting}：{file} 中的证书已于 {day} 过期：请更换证书",
)
_NOT_BEGUN = Words(
    "{setting}: the certificate in {file} is not valid before {day}: is the clock of this machine right?",
    "{setting}：{file} 中的证书自 {day} 起生效：请检查本机时间",
)
_OTHER_AUTHORITY = Words(
    "{setting}: no CA of {other} has signed the certificate in {file}: {consequence}",
    "{setting}：{file} 中的证书不是由 {other} 中的 CA 签发的：{consequence}",
)
_EDGES_REFUSED = Words("edges that show it would be refused", "使用该证书的边缘服务将被拒绝")
_RELAY_REFUSED = Words("edges would not trust the relay", "边缘服务将不信任该中继服务")


class CertificateError(StartError):
    """A file of the relay cannot be used; says which setting, which file and what is wrong."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en, message_zh=words.zh)


@dataclass(frozen=True, slots=True)
class Named:
    """A file and the setting that names it."""

    setting: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayFiles:
    """Which files the relay works with.

    Attributes:
        certificate: What it shows.
        client_authority: Who signs agents.
        authority: What edges are given to trust.
        client: Certificate and key that edges are given, where they were brought.
        seen: How the control plane looks at its relay itself: ``control.mqtt``.
        is_used: There is a port with TLS.
        is_own: The authority that signs agents is one that was made here, so certificates for edges are, too.
    """

    certificate: Named
    key: Named
    password: Secret
    client_authority: Named
    authority: Named
    client: tuple[Named, Named] | None
    seen: Mapping[str, Any]
    is_used: bool
    is_own: bool
    verify_peer: bool
    fail_if_no_peer_cert: bool

    def check(self, now: datetime) -> None:
        """Look at every file.

        Raises:
            CertificateError: one cannot be used.
        """
        shown = _pair(self.certificate, self.key, self.password, now)
        trusted = _certificates(self.authority)
        if not _is_signed(shown, trusted):
            raise CertificateError(
                _OTHER_AUTHORITY.format(
                    setting=self.certificate.setting,
                    file=self.certificate.path,
                    other=self.authority.path,
                    consequence=_RELAY_REFUSED,
                )
            )
        authorities = _certificates(self.client_authority) if self.verify_peer else ()
        if self.client is None:
            return
        certificate, key = self.client
        own = _pair(certificate, key, Secret(""), now)
        if self.verify_peer and not _is_signed(own, authorities):
            raise CertificateError(
                _OTHER_AUTHORITY.format(
                    setting=certificate.setting,
                    file=certificate.path,
                    other=self.client_authority.path,
                    consequence=_EDGES_REFUSED,
                )
            )

    def options(self) -> dict[str, Any]:
        """``ssl_options`` of the listener."""
        options: dict[str, Any] = {
            "certfile": str(self.certificate.path),
            "keyfile": str(self.key.path),
        }
        if self.password.reveal():
            options["password"] = self.password.reveal()
        if self.verify_peer:
            options["cacertfile"] = str(self.client_authority.path)
            options["verify"] = "verify_peer"
            options["fail_if_no_peer_cert"] = self.fail_if_no_peer_cert
        return options


def files_of(config: ControlConfig, certificates: Certificates) -> RelayFiles:
    """What the configuration names; the rest is that of the console's port."""
    options, client = config.values["relay"]["ssl_options"], config.values["mqtt"]
    is_brought = bool(options["certfile"])
    certificate = _named(_OPTIONS, "certfile", options, certificates.certificate_file)
    authorities = _named(_OPTIONS, "cacertfile", options, certificates.ca_file)
    # Brought alone, a certificate is trusted by itself; with a CA beside it, by that.
    fallback = authorities.path if options["cacertfile"] or not is_brought else certificate.path
    brought = bool(client["certFile"])
    return RelayFiles(
        certificate=certificate,
        key=_named(_OPTIONS, "keyfile", options, certificates.key_file),
        password=options["password"] or Secret(""),
        client_authority=authorities,
        authority=_named(_CLIENT, "cacertFile", client, fallback),
        client=(
            (
                Named(f"{_CLIENT}.certFile", Path(client["certFile"])),
                Named(f"{_CLIENT}.keyFile", Path(client["keyFile"])),
            )
            if brought
            else None
        ),
        seen=client,
        is_used=bool(config.values["relay"]["tls"] and options["enable"]),
        is_own=certificates.is_own and not options["cacertfile"],
        verify_peer=options["verify_peer"],
        fail_if_no_peer_cert=options["fail_if_no_peer_cert"],
    )


def _named(section: str, name: str, values: Any, otherwise: Path) -> Named:
    return Named(f"{section}.{name}", Path(values[name]) if values[name] else otherwise)


def _pair(certificate: Named, key: Named, password: Secret, now: datetime) -> Sequence[Any]:
    chain = _certificates(certificate)
    if _key_of(key, password) != _plain(chain[0].public_key()):
        raise CertificateError(
            _OTHER_KEY.format(setting=key.setting, file=key.path, other=certificate.path)
        )
    for one in chain:
        where = {"setting": certificate.setting, "file": certificate.path}
        if one.not_valid_after_utc < now:
            raise CertificateError(_ENDED.format(**where, day=one.not_valid_after_utc.date()))
        if one.not_valid_before_utc > now:
            raise CertificateError(_NOT_BEGUN.format(**where, day=one.not_valid_before_utc.date()))
    return chain


def _certificates(named: Named) -> Sequence[x509.Certificate]:
    content = _content(named)
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        raise CertificateError(
            _NO_CERTIFICATE.format(setting=named.setting, file=named.path)
        ) from None


def _key_of(named: Named, password: Secret) -> bytes:
    content = _content(named)
    try:
        given = password.reveal().encode()
        key: PrivateKeyTypes = load_pem_private_key(content, given or None)
    except (ValueError, TypeError) as error:
        why = type(error).__name__ if not str(error) else str(error).split(".")[0]
        raise CertificateError(
            _NO_KEY.format(setting=named.setting, file=named.path, why=why)
        ) from None
    return _plain(key.public_key())


def _content(named: Named) -> bytes:
    try:
        return named.path.read_bytes()
    except OSError as error:
        raise CertificateError(
            _UNREADABLE.format(setting=named.setting, file=named.path, why=words_of_error(error))
        ) from None


def _plain(key: Any) -> bytes:
    found: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found


def _is_signed(chain: Sequence[x509.Certificate], authorities: Iterable[x509.Certificate]) -> bool:
    """Whether the first one leads to an authority, over those that follow it."""
    trusted = list(authorities)
    for number, one in enumerate(chain[:_ISSUERS_MAX]):
        if one in trusted or any(_has_signed(authority, one) for authority in trusted):
            return True
        if number + 1 < len(chain) and not _has_signed(chain[number + 1], one):
            return False
    return False


def _has_signed(authority: x509.Certificate, one: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
