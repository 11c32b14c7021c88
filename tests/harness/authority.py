"""Certificates as administrators make them: with the openssl command."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import dataclass
from pathlib import Path

DEADLINE_S = 60.0

KEY_TYPES = {
    "rsa2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "rsa4096": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"),
    "p256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "p384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "p521": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    "ed25519": ("-algorithm", "ED25519"),
}

_SETTINGS = """
[ca]
default_ca = here
[here]
dir = {dir}
database = {dir}/index.txt
serial = {dir}/serial
crlnumber = {dir}/crlnumber
new_certs_dir = {dir}
certificate = {dir}/ca.pem
private_key = {dir}/ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
copy_extensions = copy
policy = any
x509_extensions = leaf
[any]
commonName = supplied
organizationName = optional
[leaf]
basicConstraints = CA:FALSE
[intermediate]
basicConstraints = critical, CA:TRUE
keyUsage = keyCertSign, cRLSign
"""


def openssl(*arguments: str | Path, text: str = "") -> str:
    """Run openssl; what it writes to its output."""
    done = subprocess.run(
        ["openssl", *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


@dataclass(frozen=True)
class Pair:
    """A certificate (with what has to follow it) and its key."""

    cert: Path
    key: Path


class Authority:
    """A CA in a directory of its own."""

    def __init__(self, directory: Path, name: str, signer: Authority | None = None) -> None:
        self.directory = directory
        self.name = name
        self._numbers = itertools.count(1)
        self.cert = directory / "ca.pem"
        self._settings = directory / "ca.cnf"
        self._settings.write_text(_SETTINGS.format(dir=directory))
        (directory / "index.txt").write_text("")
        (directory / "serial").write_text("1000\n")
        (directory / "crlnumber").write_text("01\n")
        self._new_key(directory / "ca.key", "p256")
        if signer is None:
            openssl(
                *("req", "-x509", "-new", "-key", directory / "ca.key", "-out", self.cert),
                *("-days", "30", "-subj", f"/CN={name}"),
                *("-addext", "keyUsage=keyCertSign,cRLSign"),
            )
        else:
            request = self._request(directory / "ca.key", name)
            signer.sign(request, self.cert, extensions="intermediate")

    def issue(
        self,
        name: str,
        key_type: str = "p256",
        *,
        dates: tuple[str, str] | None = None,
        hosts: tuple[str, ...] = (),
    ) -> Pair:
        """A certificate for ``localhost`` with that Common Name; ``dates`` as YYYYMMDD.

        ``hosts`` are further addresses that it is for.
        """
        number = next(self._numbers)
        pair = Pair(self.directory / f"{number}.pem", self.directory / f"{number}.key")
        self._new_key(pair.key, key_type)
        self.sign(self._request(pair.key, name, hosts), pair.cert, dates=dates)
        return pair

    def sign(
        self,
        request: Path,
        out: Path,
        *,
        dates: tuple[str, str] | None = None,
        extensions: str = "leaf",
    ) -> None:
        between: list[str | Path] = []
        if dates is not None:
            between = ["-startdate", f"{dates[0]}000000Z", "-enddate", f"{dates[1]}000000Z"]
        between += ["-in", request, "-out", out]
        settings: list[str | Path] = ["-config", self._settings, "-extensions", extensions]
        openssl("ca", "-batch", "-notext", "-preserveDN", *settings, *between)

    def sign_plainly(self, pair: Pair, out: Path, *options: str) -> Pair:
        """A certificate as the short command of many guides makes it: without extensions."""
        request = self._request(pair.key, "localhost")
        signer: list[str | Path] = [
            "-CA",
            self.cert,
            "-CAkey",
            self.directory / "ca.key",
            "-set_serial",
            "77",
        ]
        files: list[str | Path] = ["-in", request, "-out", out]
        openssl("x509", "-req", "-days", "30", *signer, *files, *options)
        return Pair(out, pair.key)

    def revoke(self, pair: Pair) -> None:
        openssl("ca", "-config", self._settings, "-revoke", pair.cert)

    def crl(self, *, ends: str | None = None) -> Path:
        """The revocation list as of now; ``ends`` as YYYYMMDD."""
        out = self.directory / f"{next(self._numbers)}.crl"
        dates = ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", f"{ends}000000Z"]
        openssl(
            *("ca", "-config", self._settings, "-gencrl", "-out", out),
            *(dates if ends is not None else []),
        )
        return out

    def _request(self, key: Path, name: str, hosts: tuple[str, ...] = ()) -> Path:
        out = key.with_suffix(".csr")
        names = ",".join(["DNS:localhost", "IP:127.0.0.1", *(f"IP:{host}" for host in hosts)])
        openssl(
            *("req", "-new", "-key", key, "-out", out, "-subj", f"/O=Example/CN={name}"),
            *("-addext", f"subjectAltName={names}"),
        )
        return out

    @staticmethod
    def _new_key(out: Path, key_type: str) -> None:
        openssl("genpkey", *KEY_TYPES[key_type], "-out", out)
