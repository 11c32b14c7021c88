"""What the end of a TLS connection means, and what to do about it.

OpenSSL names an alert of the other side (RFC 8446, 6) or a check of its own, such as
``[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]``; which one is all that a client library hands on.
"""

from __future__ import annotations

import re

from rookery.cli.messages import say

_NAMED = re.compile(
    r"\[(?:SSL|X509)(?:: |\] )(?:(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?)?(PEM lib|[A-Z0-9_]+)"
)
_TEXTS = {
    "CERTIFICATE_REQUIRED": "tls.certificate_required",
    "HANDSHAKE_FAILURE": "tls.handshake_failure",
    "UNKNOWN_CA": "tls.certificate_refused",
    "CERTIFICATE_UNKNOWN": "tls.certificate_refused",
    "BAD_CERTIFICATE": "tls.certificate_refused",
    "UNSUPPORTED_CERTIFICATE": "tls.certificate_refused",
    "DECRYPT_ERROR": "tls.certificate_refused",
    "CERTIFICATE_EXPIRED": "tls.certificate_expired",
    "CERTIFICATE_REVOKED": "tls.certificate_revoked",
    "PROTOCOL_VERSION": "tls.protocol_version",
    "UNSUPPORTED_PROTOCOL": "tls.protocol_version",
    "UNRECOGNIZED_NAME": "tls.unrecognized_name",
    "CERTIFICATE_VERIFY_FAILED": "tls.not_trusted",
    "WRONG_VERSION_NUMBER": "tls.no_tls",
    # Files of one's own, before anybody is connected to.
    "KEY_VALUES_MISMATCH": "tls.key_mismatch",
    "PEM lib": "tls.bad_pem",
    "NO_CERTIFICATE_OR_CRL_FOUND": "tls.bad_pem",
    "UNEXPECTED_EOF_WHILE_READING": "tls.no_tls",
}
_VERIFY_REASON = re.compile(r"certificate verify failed: ([^(]+)")


def is_told_in(text: str) -> bool:
    """Whether a line of a library's log tells an error of TLS."""
    return _NAMED.search(text) is not None


def meaning(text: str) -> str | None:
    """What happened and what to do, for an error that names it; none for others."""
    found = _NAMED.search(text)
    if found is None or found[1] not in _TEXTS:
        return None
    why = _VERIFY_REASON.search(text)
    reason = why[1].strip() if why is not None else found[1].lower().replace("_", " ")
    return say(_TEXTS[found[1]], reason=reason)
