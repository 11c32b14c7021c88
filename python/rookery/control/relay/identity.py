"""Who a process is to the other processes of its database: a certificate and a secret of this run.

Both are made at the start and never leave memory but for the row of the process: who may read the
database may speak for control. The certificate is pinned by its digest, so nobody has to sign it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import ssl
import tempfile
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rookery.access.authority import BACKDATED, now_utc, write_new

_DAYS = 3650


class Identity:
    """Of one run of one process.

    Attributes:
        certificate_sha256: Of the certificate in DER form, in hex.
        secret: What others show to be let in, in hex.
    """

    def __init__(self, process_id: str) -> None:
        self.process_id = process_id
        self.secret = secrets.token_hex(32)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, process_id)])
        now = now_utc()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + timedelta(days=_DAYS))
            .sign(key, hashes.SHA256())
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        self.certificate_sha256 = hashlib.sha256(der).hexdigest()
        pem = serialization.Encoding.PEM
        form = serialization.PrivateFormat.PKCS8
        self._pem = certificate.public_bytes(pem) + key.private_bytes(
            pem, form, serialization.NoEncryption()
        )

    def server_context(self) -> ssl.SSLContext:
        """For the door that others come to."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        # The library reads keys from files alone.
        with tempfile.TemporaryDirectory(prefix="rookery-") as folder:
            file = Path(folder) / "identity.pem"
            write_new(file, self._pem)
            context.load_cert_chain(file)
        return context

    def lets_in(self, secret: str) -> bool:
        """Whether it is the secret; takes as long either way."""
        return hmac.compare_digest(secret.encode(), self.secret.encode())


def client_context() -> ssl.SSLContext:
    """For going to another process, whose certificate is compared by :func:`is_pinned`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def is_pinned(shown: bytes | None, sha256: str) -> bool:
    """Whether a certificate in DER form is the one with that digest."""
    found = hashlib.sha256(shown or b"").hexdigest()
    return bool(shown) and hmac.compare_digest(found, sha256)
