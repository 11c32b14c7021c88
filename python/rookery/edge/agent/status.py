"""How the connection to the control plane stands, for people and for programs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import StrEnum

from rookery.access.system_words import system_words
from rookery.edge.agent import texts
from rookery.words import Words


class State(StrEnum):
    """The words of ``GET /status/ecp_tunnel``."""

    INIT = "init"
    CONNECTING = "connecting"
    ENROLLING = "enrolling"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    REFUSED = "refused"
    REJECTED = "rejected"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no connection: a word for programs, and a sentence."""

    code: str
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """At one moment.

    Attributes:
        since_ms: Since when the state is what it is.
        is_managed: Whether it belongs to a project of the control plane, as ``service``.
    """

    state: State = State.INIT
    since_ms: int = 0
    agent_id: str = ""
    is_managed: bool = False
    service: str = ""
    project: str = ""
    organization: str = ""
    problem: Problem | None = None


_CERTIFICATES = {
    9: texts.NOT_YET,
    10: texts.EXPIRED,
    18: texts.NOT_TRUSTED,
    19: texts.NOT_TRUSTED,
    20: texts.NOT_TRUSTED,
    21: texts.NOT_TRUSTED,
    62: texts.OTHER_NAME,
    64: texts.OTHER_NAME,
}
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})


def tls_problem(address: str, error: ssl.SSLError, *, has_certificate: bool) -> Problem:
    """Which certificate TLS failed for, and why."""
    if isinstance(error, ssl.SSLCertVerificationError):
        words = _CERTIFICATES.get(error.verify_code, texts.TLS)
        why = system_words(error.verify_message)
        return Problem("TLS", words.format(address=address, why=why))
    reason = error.reason or "no common protocol"
    why_plain = reason.lower().replace("_", " ")
    if reason in _NO_TLS:
        return Problem("TLS", texts.NO_TLS.format(address=address))
    if "CERTIFICATE_EXPIRED" in reason:
        return Problem("TLS", texts.OWN_EXPIRED.format(address=address))
    if "CERTIFICATE_REQUIRED" in reason or ("ALERT" in reason and not has_certificate):
        return Problem("TLS", texts.WANTS_CERTIFICATE.format(address=address))
    if "ALERT" in reason:
        return Problem("TLS", texts.OWN_NOT_ACCEPTED.format(address=address, why=why_plain))
    return Problem("TLS", texts.TLS.format(address=address, why=why_plain))
