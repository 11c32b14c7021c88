"""What an edge needs to speak TLS with the relay, in one archive: never the key of an authority.

The key of a certificate that is made here is in the archive and nowhere else.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from rookery.access.authority import Authority, now_utc
from rookery.control.errors import OutOfReachError, TakenError, Text
from rookery.control.relay.files import RelayFiles
from rookery.errors import RookeryError

DAYS = 825
AUTHORITY, CERTIFICATE, KEY, README = (
    "cacert.pem",
    "client-cert.pem",
    "client-key.pem",
    "README.txt",
)
"""As the document about ECP calls them."""
_MODE = 0o600
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The earliest that an archive can say: what was made when is in the certificate."""

NOT_READABLE = Text("the certificates cannot be read: {reason}", "无法读取证书：{reason}")
NO_NAME = Text(
    "no certificate can be made for {name}: {reason}", "无法为 {name} 签发证书：{reason}"
)
_README = """\
For the page Administration > System configuration > Agent of an edge service, with SSL/TLS on:
  {authority}       CA certificate
  {certificate}  client certificate
  {key}   its private key: whoever has it can show this certificate, so do not leave it lying about

用于边缘服务的“管理 > 系统配置 > 代理配置”页面（开启 SSL/TLS）：
  {authority}       CA 证书
  {certificate}  客户端证书
  {key}   客户端证书的私钥，请妥善保管
"""
_README_ALONE = """\
For the page Administration > System configuration > Agent of an edge service, with SSL/TLS on:
  {authority}       CA certificate
Client certificates are not made here: their authority was brought. Take one that it has signed, and name
it in control.mqtt.certFile and control.mqtt.keyFile to have it in this archive.

用于边缘服务的“管理 > 系统配置 > 代理配置”页面（开启 SSL/TLS）：
  {authority}       CA 证书
本控制面使用外部 CA，不在此签发客户端证书。请使用该 CA 签发的证书，并通过 control.mqtt.certFile 与
control.mqtt.keyFile 指定，即可包含在本压缩包中。
"""


@dataclass(frozen=True, slots=True)
class Export:
    """An archive, and whether a client certificate is in it."""

    content: bytes
    has_client: bool


def export(files: RelayFiles, name: str) -> Export:
    """Put the archive together; ``name`` is the common name of a certificate that is made for it.

    Raises:
        OutOfReachError: a file cannot be read.
        TakenError: that is no name.
    """
    try:
        parts = {AUTHORITY: files.authority.path.read_bytes()}
        if files.client is not None:
            certificate, key = files.client
            parts |= {CERTIFICATE: certificate.path.read_bytes(), KEY: key.path.read_bytes()}
        elif files.is_own:
            authority = Authority(files.client_authority.path.parent, now_utc())
            try:
                made, its_key = authority.issue_client(name, DAYS)
            except RookeryError as error:
                raise TakenError(NO_NAME, name=name, reason=error.message) from None
            parts |= {CERTIFICATE: made, KEY: its_key}
    except (OSError, ValueError) as error:
        raise OutOfReachError(NOT_READABLE, reason=error) from error
    has_client = CERTIFICATE in parts
    text = _README if has_client else _README_ALONE
    parts[README] = text.format(authority=AUTHORITY, certificate=CERTIFICATE, key=KEY).encode()
    return Export(_archive(parts), has_client)


def _archive(parts: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.external_attr = _MODE << 16
            archive.writestr(entry, content)
    return held.getvalue()
