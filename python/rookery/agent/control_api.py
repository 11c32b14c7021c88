"""Speaks HTTPS to the control plane: enrolment, and reports while MQTT is away."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import ssl
from email.utils import parsedate_to_datetime
from typing import TypeVar

from rookery.agent.failures import ANSWER, GONE, REFUSED, TLS, AgentError, CallError
from rookery.agent.http_client import Answer, HttpClient, Trust, bearer, is_local
from rookery.agent.texts import say
from rookery.contracts.agent_enrolment_v1 import PATH, Metadata, Registered, Registration
from rookery.contracts.agent_fields import write_object
from rookery.contracts.agent_v1 import MessageError, Report

_T = TypeVar("_T", Registered, Metadata)
CA_PATH = "/dl/agent/ca.pem"
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CA_BYTES_MAX = 256 * 1024


def checked_sha256(text: str) -> str:
    """64 hex digits, colons left out.

    Raises:
        AgentError: it is none.
    """
    plain = text.strip().replace(":", "").lower()
    plain = plain.removeprefix("sha256")
    if not _SHA256.fullmatch(plain):
        raise AgentError(say("ca.bad_hash", value=text[:100]))
    return plain


def pinned_certificate(pem: bytes, sha256: str) -> str | None:
    """The one certificate of a PEM text that has this hash, as PEM."""
    for found in _PEM.finditer(pem[:_CA_BYTES_MAX]):
        try:
            der = base64.b64decode(b"".join(found[1].split()), validate=True)
        except ValueError:
            continue
        if hashlib.sha256(der).hexdigest() == sha256:
            return ssl.DER_cert_to_PEM_cert(der)
    return None


def fetch_ca(url: str, sha256: str) -> str:
    """Fetch the CA of the control plane; the hash says that it is the right one.

    The connection is not checked, for there is nothing yet to check it with. Whoever stands
    between can give another certificate, but none with this hash.

    Raises:
        CallError: it could not be fetched, or is another.
    """
    answer = HttpClient(url, Trust(is_insecure=True)).call("GET", CA_PATH)
    if answer.status != 200:
        raise CallError(
            ANSWER, f"{url}{CA_PATH}: HTTP status {answer.status}", status=answer.status
        )
    pem = pinned_certificate(answer.body, sha256)
    if pem is None:
        raise CallError(TLS, say("ca.other", url=url))
    return pem


class ControlApi:
    """The calls of :mod:`rookery.contracts.agent_enrolment_v1`."""

    def __init__(self, url: str, trust: Trust, token: str = "") -> None:
        self._client = HttpClient(url, trust)
        self._token = token

    @staticmethod
    def check_url(url: str, *, is_insecure: bool) -> None:
        """A token must not travel in the clear.

        Raises:
            AgentError: it would.
        """
        if url.startswith("http://") and not is_local(url) and not is_insecure:
            raise AgentError(say("url.plain", url=url))

    def register(self, registration: Registration) -> Registered:
        """Use up a registration token.

        Raises:
            CallError: it was refused, with the reason; or nothing came of it.
        """
        body = registration.to_json()
        answer = self._client.call("POST", f"{PATH}/register", body)
        return _read(Registered, _good(answer, self._client.url))

    def metadata(self) -> Metadata:
        """Where the relay is and what to do.

        Raises:
            CallError: ``GONE`` when the agent was removed, ``REFUSED`` when it is not known.
        """
        answer = self._client.call("GET", f"{PATH}/metadata", headers=bearer(self._token))
        return _read(Metadata, _good(answer, self._client.url))

    def report(self, report: Report) -> None:
        """Report without MQTT.

        Raises:
            CallError: as :meth:`metadata`.
        """
        body = write_object(report.written())
        answer = self._client.call("POST", f"{PATH}/report", body, bearer(self._token))
        _good(answer, self._client.url)

    def unregister(self) -> None:
        """Leave.

        Raises:
            CallError: as :meth:`metadata`.
        """
        answer = self._client.call("POST", f"{PATH}/unregister", b"", bearer(self._token))
        _good(answer, self._client.url)

    def clock_ms(self) -> int | None:
        """What the time is there, to the second, by the header of any answer.

        Raises:
            CallError: no answer came.
        """
        answer = self._client.call("GET", f"{PATH}/metadata", headers=bearer(self._token))
        try:
            moment = parsedate_to_datetime(answer.headers.get("date", ""))
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        return round(moment.timestamp() * 1000)


def _good(answer: Answer, url: str) -> Answer:
    if 200 <= answer.status < 300:
        return answer
    code = {401: REFUSED, 403: REFUSED, 409: REFUSED, 410: GONE}.get(answer.status, ANSWER)
    raise CallError(code, reason_of(answer, url), status=answer.status)


def reason_of(answer: Answer, url: str) -> str:
    """What the body of a refusal says, in one line."""
    try:
        said = json.loads(answer.body)
        message = said.get("message") if isinstance(said, dict) else None
        code = said.get("code") if isinstance(said, dict) else None
    except (ValueError, RecursionError):
        message, code = None, None
    words = [f"{url}: HTTP status {answer.status}"]
    words.extend(str(part)[:200] for part in (code, message) if isinstance(part, str))
    return " ".join(" ".join(words).split())


def _read(kind: type[_T], answer: Answer) -> _T:
    try:
        return kind.from_json(answer.body)
    except MessageError as error:
        raise CallError(ANSWER, f"the answer cannot be read: {error}") from error
