"""The certificate that the dashboard's HTTPS listener shows, in the form of those of the core."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rookery.native.models import Certificate

if TYPE_CHECKING:
    from rookery.web.tls import ServerTls

_log = logging.getLogger("rookery.web")

LISTENER = "https:dashboard"


def shown_by(tls: ServerTls | None) -> list[Certificate]:
    """Its certificate as it was read last; none where there is no such listener."""
    if tls is None:
        return []
    # For this alone, which few nodes have.
    from cryptography import x509  # noqa: PLC0415

    try:
        leaf = x509.load_pem_x509_certificates(tls.shown)[0]
    except ValueError as error:  # OpenSSL takes some that are not quite in order
        _log.warning("%s: when it ends cannot be read: %s", tls.certfile, error)
        return []
    subject = leaf.subject.rfc4514_string()
    ends_s = int(leaf.not_valid_after_utc.timestamp())
    return [Certificate(LISTENER, str(tls.certfile), "certfile", subject, ends_s)]
