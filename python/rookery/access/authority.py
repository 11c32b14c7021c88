"""A private certificate authority in a folder, and the certificates it signs.

For tests and small installations: keys lie in the folder unencrypted, readable by their owner
alone. Nothing that exists is replaced, but by :meth:`Authority.sign_server_again`; a folder that has an
authority gets certificates of it.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rookery.errors import BadRequestError, ConflictError

AUTHORITY_DAYS = 3650
AUTHORITY_NAME = "Rookery private CA"
# Clocks of small devices are often a little behind.
BACKDATED = timedelta(hours=1)
COMMON_NAME_MAX = 64

Key = ec.EllipticCurvePrivateKey


class Authority:
    """Signs certificates; made when the folder has none."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """Open or make the authority of ``folder``.

        Raises:
            BadRequestError: what is there is no authority of this kind.
        """
        self.folder = folder
        self.certificate_file = folder / "ca.pem"
        self._now = now
        key_file = folder / "ca.key"
        if self.certificate_file.exists() or key_file.exists():
            self._certificate, self._key = _read_authority(self.certificate_file, key_file)
            self.is_new = False
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = self._key.public_key()
        # Two with one name would be taken for each other, and a stranger's certificate for a broken one.
        identifier = x509.SubjectKeyIdentifier.from_public_key(public)
        name = _name(f"{AUTHORITY_NAME} {identifier.digest.hex()[:8]}")
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        self._certificate = (
            self._begin(name, name, public, AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        write_new(key_file, _key_text(self._key))
        write_new(self.certificate_file, self._certificate.public_bytes(_PEM))
        self.is_new = True

    def sign_server(self, hosts: Sequence[str], days: int) -> tuple[Path, Path]:
        """Make ``server.pem`` and ``server.key`` for host names and addresses."""
        names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
        return self._sign("server", hosts[0], days, ExtendedKeyUsageOID.SERVER_AUTH, names)

    def sign_server_again(self, hosts: Sequence[str], days: int) -> Path:
        """Put another certificate of the same key in the place of ``server.pem``, in one step.

        The file fits the key at every moment, for whoever reads both just then.

        Raises:
            BadRequestError: there is no such key, or what is given is no name.
        """
        key_file = self.folder / "server.key"
        try:
            key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise BadRequestError(f"{key_file}: {error}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadRequestError(f"{key_file} is of another kind")
        names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
        certificate = self._certify(key, hosts[0], days, ExtendedKeyUsageOID.SERVER_AUTH, names)
        certificate_file = self.folder / "server.pem"
        made = self.folder / "server.pem.new"
        made.unlink(missing_ok=True)
        write_new(made, certificate.public_bytes(_PEM))
        made.replace(certificate_file)
        return certificate_file

    def sign_client(self, common_name: str, days: int) -> tuple[Path, Path]:
        """Make a certificate whose common name is ``common_name``, and its key."""
        _check_common_name(common_name)
        stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in common_name)
        return self._sign(
            stem.lstrip(".") or "client", common_name, days, ExtendedKeyUsageOID.CLIENT_AUTH, None
        )

    def issue_client(self, common_name: str, days: int) -> tuple[bytes, bytes]:
        """The same without files: a certificate and its key, both PEM. The key is kept nowhere.

        Raises:
            BadRequestError: that is no common name.
        """
        _check_common_name(common_name)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certify(key, common_name, days, ExtendedKeyUsageOID.CLIENT_AUTH, None)
        return certificate.public_bytes(_PEM), _key_text(key)

    def has(self, stem: str) -> bool:
        """Whether a certificate of that name is there."""
        return (self.folder / f"{stem}.pem").exists()

    def _sign(
        self,
        stem: str,
        common_name: str,
        days: int,
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
    ) -> tuple[Path, Path]:
        certificate_file = self.folder / f"{stem}.pem"
        key_file = self.folder / f"{stem}.key"
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certify(key, common_name, days, usage, names)
        write_new(key_file, _key_text(key))
        write_new(certificate_file, certificate.public_bytes(_PEM))
        return certificate_file, key_file

    def _certify(
        self,
        key: Key,
        common_name: str,
        days: int,
        usage: x509.ObjectIdentifier,
        names: x509.SubjectAlternativeName | None,
    ) -> x509.Certificate:
        key_usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            self._begin(
                _name(common_name[:COMMON_NAME_MAX]),
                self._certificate.subject,
                key.public_key(),
                days,
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(authority_key, critical=False)
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _begin(
        self, subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - BACKDATED)
            .not_valid_after(self._now + timedelta(days=days))
        )


def now_utc() -> datetime:
    """The time that certificates count from."""
    return datetime.now(UTC).replace(microsecond=0)


def write_new(path: Path, text: bytes) -> None:
    """Write a file that only its owner can read.

    Raises:
        ConflictError: it exists.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise ConflictError(f"{path} exists and was not touched") from None
    except OSError as error:
        raise BadRequestError(f"{path}: {error.strerror or error}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)


def _check_common_name(common_name: str) -> None:
    if not 0 < len(common_name) <= COMMON_NAME_MAX or not common_name.isprintable():
        raise BadRequestError(f"a common name has 1 to {COMMON_NAME_MAX} characters")


_PEM = serialization.Encoding.PEM


def _key_text(key: Key) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(_PEM, form, serialization.NoEncryption())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError:
        raise BadRequestError(f"{host!r} is neither a host name nor an address") from None


def _read_authority(certificate_file: Path, key_file: Path) -> tuple[x509.Certificate, Key]:
    try:
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        folder = certificate_file.parent
        raise BadRequestError(f"{folder} has no complete authority: {reason}") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != (
        certificate.public_key()
    ):
        raise BadRequestError(f"{key_file} does not belong to {certificate_file}")
    return certificate, key
