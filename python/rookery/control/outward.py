"""How the control plane trusts servers that it calls."""

from __future__ import annotations

import ssl

from rookery.control.errors import InvalidError, Text

BAD_CA = Text(
    "the authority is no certificate in PEM form: {reason}", "CA 证书不是有效的 PEM 格式：{reason}"
)


def context_with(ca_certificate: str) -> ssl.SSLContext:
    """What certificates are verified with: the authorities of the system, and one in PEM form if given.

    Raises:
        InvalidError: that is none.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_certificate:
        try:
            context.load_verify_locations(cadata=ca_certificate)
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise InvalidError(BAD_CA, reason=reason) from None
    return context
