"""What the ports show, and the authority that agents are told to trust.

Brought by the configuration, or made in the data directory at the first start: an authority that stays,
and a certificate of it for the names and addresses of this machine, which is made again when it is about
to end or names change.
"""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rookery.access.authority import Authority, now_utc
from rookery.config.control import ControlConfig
from rookery.control.host_names import own_names
from rookery.errors import RookeryError, StartError

FOLDER = "certificates"
DAYS = 397  # browsers refuse longer ones
RENEW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM form.

    Attributes:
        ca_file: What signs the certificate; the certificate itself where it was brought alone.
        ca_sha256: Digest of the authority's certificate (DER) in hexadecimal digits: what the
            ``--ca-sha256`` of an agent's registration compares.
    """

    certificate_file: Path
    key_file: Path
    ca_file: Path
    ca_sha256: str

    def context(self) -> ssl.SSLContext:
        """For a port that speaks TLS.

        Raises:
            StartError: the files cannot be used.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate_file, self.key_file, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            raise StartError(f"{self.certificate_file}, {self.key_file}: {error}") from error
        return context


def prepare(config: ControlConfig) -> Certificates:
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


def _own(config: ControlConfig) -> Certificates:
    folder = config.data_dir / FOLDER
    now = now_utc()
    authority = Authority(folder, now)
    names = config.tls_names or own_names()
    certificate_file, key_file = folder / "server.pem", folder / "server.key"
    if not _is_good(certificate_file, key_file, names, now):
        certificate_file.unlink(missing_ok=True)
        key_file.unlink(missing_ok=True)
        authority.sign_server(names, DAYS)
    ca_file = authority.certificate_file
    return Certificates(certificate_file, key_file, ca_file, _digest(ca_file))


def _is_good(certificate_file: Path, key_file: Path, names: tuple[str, ...], now: datetime) -> bool:
    if not (certificate_file.is_file() and key_file.is_file()):
        return False
    found = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    there = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    held = {
        *there.get_values_for_type(x509.DNSName),
        *(str(address) for address in there.get_values_for_type(x509.IPAddress)),
    }
    return held.issuperset(names) and found.not_valid_after_utc - now > RENEW


def _digest(file: Path) -> str:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
