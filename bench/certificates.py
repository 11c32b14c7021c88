"""Certificates for measuring: a CA and server certificates of two kinds, made by openssl.

They live in the scratch directory and are made again when they are about to expire. Every broker
of a row shows the same one.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from brokers import PeerError

DAYS = 30
# Made again when less than this is left: longer than the longest run of the table.
LEFT_S = 2 * 86_400

# Arguments of `openssl genpkey`.
KINDS: dict[str, list[str]] = {
    "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
}
SERVER_EXTENSIONS = """subjectAltName = DNS:localhost, IP:127.0.0.1
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
"""


@dataclass(frozen=True)
class Certificate:
    """Files of one server certificate and of the CA that signed it."""

    ca: Path
    certificate: Path
    key: Path


def openssl(*words: str | Path) -> None:
    """Runs openssl.

    Raises:
        PeerError: it failed or is missing.
    """
    argv = ["openssl", *map(str, words)]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        raise PeerError(f"openssl: {error}") from error
    if done.returncode != 0:
        raise PeerError(f"{' '.join(argv[:3])}: {done.stderr.strip()[-300:]}")


def lasts(certificate: Path) -> bool:
    """Whether a certificate is there and valid for a while."""
    try:
        openssl("x509", "-in", certificate, "-noout", "-checkend", str(LEFT_S))
    except PeerError:
        return False
    return True


def certificate(kind: str, folder: Path) -> Certificate:
    """The certificate of a kind (`ec`, `rsa`) below `folder`, made when it is not there.

    Raises:
        PeerError: openssl cannot make it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificate(folder / f"{kind}-ca.pem", folder / f"{kind}.pem", folder / f"{kind}.key")
    if lasts(made.ca) and lasts(made.certificate) and made.key.exists():
        return made
    ca_key, request = folder / f"{kind}-ca.key", folder / f"{kind}.csr"
    extensions = folder / "server.ext"
    extensions.write_text(SERVER_EXTENSIONS)
    days = ("-days", str(DAYS))
    openssl("genpkey", *KINDS[kind], "-out", ca_key)
    openssl("req", "-x509", "-new", "-key", ca_key, "-subj", "/CN=Bench CA", *days, "-out", made.ca)
    openssl("genpkey", *KINDS[kind], "-out", made.key)
    openssl("req", "-new", "-key", made.key, "-subj", "/CN=localhost", "-out", request)
    signing = ("-CA", made.ca, "-CAkey", ca_key, "-CAcreateserial", "-extfile", extensions)
    openssl("x509", "-req", "-in", request, *signing, *days, "-out", made.certificate)
    return made
