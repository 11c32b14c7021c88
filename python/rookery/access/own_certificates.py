"""What a process's ports show, and the authority that others are told to trust.

Brought by the configuration, or made in the data directory at the first start: an authority that stays,
and a certificate of it for the names and addresses of this machine and for the access address, which is made
again when it is about to end or names change.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rookery.access.authority import Authority, now_utc
from rookery.access.host_names import NAMES_MAX as OWN_MAX
from rookery.access.host_names import own_names
from rookery.errors import RookeryError, StartError

FOLDER = "certificates"
DAYS = 397  # browsers refuse longer ones
RENEW = timedelta(days=30)
NAMES_MAX = 64


class TlsFiles(Protocol):
    """What a configuration says of them: a pair that was brought, or names for one that is made."""

    @property
    def data_dir(self) -> Path: ...
    @property
    def certfile(self) -> Path | None: ...
    @property
    def keyfile(self) -> Path | None: ...
    @property
    def cacertfile(self) -> Path | None: ...
    @property
    def tls_names(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM form.

    Attributes:
        ca_file: What signs the certificate; the certificate itself where it was brought alone.
        ca_sha256: Digest of the authority's certificate (DER) in hexadecimal digits: what the
            ``--ca-sha256`` of an agent's registration compares.
        is_own: They were made here, and are made again when they do not fit any more.
    """

    certificate_file: Path
    key_file: Path
    ca_file: Path
    ca_sha256: str
    is_own: bool = False

    def context(self) -> ssl.SSLContext:
        """For a port that speaks TLS.

        Raises:
            StartError: the files cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self.load(context)
        return context

    def load(self, context: ssl.SSLContext) -> None:
        """Have a port show what the files hold now, from the next connection on.

        Raises:
            StartError: the files cannot be used.
        """
        try:
            context.load_cert_chain(self.certificate_file, self.key_file, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            raise StartError(f"{self.certificate_file}, {self.key_file}: {error}") from error

    def fits(self, host: str) -> bool:
        """Whether the certificate is one for that name or address.

        Raises:
            OSError: it cannot be read.
            ValueError: it is none.
        """
        return _holds(_names(_read(self.certificate_file)), host)

    def make_fit(self, host: str) -> bool:
        """Add a name or address to those of a certificate that was made here; whether it was made again.

        Names that it has stay: agents may have registered under them.

        Raises:
            OSError: it cannot be written.
            ValueError: it cannot be read.
            RookeryError: the authority is not there, or that is no name.
        """
        now = now_utc()
        found = _read(self.certificate_file)
        held = _names(found)
        if not self.is_own or (_holds(held, host) and _lasts(found, now)):
            return False
        if not _holds(held, host):
            held = _bounded((*held, host))
        Authority(self.certificate_file.parent, now).sign_server_again(held, DAYS)
        return True


def prepare(config: TlsFiles) -> Certificates:
    """The files, made where they are missing.

    Raises:
        StartError: they cannot be read, or made.
    """
    try:
        if config.certfile is not None and config.keyfile is not None:
            ca_file = config.cacertfile or config.certfile
            return Certificates(config.certfile, config.keyfile, ca_file, _digest(ca_file))
        return _own(config)
    except StartError:
        raise
    except (RookeryError, OSError, ValueError) as error:
        raise StartError(f"certificates: {error}") from error


def _own(config: TlsFiles) -> Certificates:
    folder = config.data_dir / FOLDER
    now = now_utc()
    authority = Authority(folder, now)
    names = config.tls_names or own_names()
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    held: tuple[str, ...] = ()
    is_good = False
    if certificate_file.is_file() and key_file.is_file():
        found = _read(certificate_file)
        held = _names(found)
        is_good = set(held).issuperset(names) and _lasts(found, now)
    if not is_good:
        if config.tls_names and not set(held).issuperset(names):
            held = ()  # Other names were chosen instead of them.
        certificate_file.unlink(missing_ok=True)
        key_file.unlink(missing_ok=True)
        authority.sign_server(_bounded((*names, *held)), DAYS)
    ca_file = authority.certificate_file
    return Certificates(certificate_file, key_file, ca_file, _digest(ca_file), is_own=True)


def _bounded(names: tuple[str, ...]) -> tuple[str, ...]:
    # What is first are the machine's own, what is last came last: the oldest of the others give way.
    every = tuple(dict.fromkeys(names))
    return every if len(every) <= NAMES_MAX else (*every[:OWN_MAX], *every[OWN_MAX - NAMES_MAX :])


def _read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        there = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        str(name.value) for name in there if isinstance(name, x509.DNSName | x509.IPAddress)
    )


def _holds(names: tuple[str, ...], host: str) -> bool:
    lower = {name.lower() for name in names}
    # A wildcard stands for one label.
    return host in lower or f"*.{host.partition('.')[2]}" in lower


def _lasts(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_after_utc - now > RENEW


def _digest(file: Path) -> str:
    return hashlib.sha256(_read(file).public_bytes(Encoding.DER)).hexdigest()
