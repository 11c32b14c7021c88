"""``x509``: a certificate that was verified is all that is asked for.

Listeners of this node only have a certificate to show that they verified; what a PROXY header tells
is believed from listed balancers alone. Neither is decided here.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from rookery.access.request import AuthRequest
from rookery.access.verdict import Admit, Ignore, Opinion, Refuse

CertificateDemand: TypeAlias = Literal["any", "cn", "username", "clientid"]


class CertificateProvider:
    """``mechanism = x509``.

    Args:
        require: ``any`` certificate that was verified, one with a common name (``cn``), or one whose
            common name is the user name or the client identifier.
    """

    id = "x509"
    methods: tuple[str, ...] = ()

    def __init__(self, require: CertificateDemand = "any") -> None:
        self._require = require

    async def start(self) -> None:
        """Nothing is open."""

    async def stop(self) -> None:
        """Nothing is open."""

    async def authenticate(self, request: AuthRequest) -> Opinion:
        name = request.cert_common_name
        if name is None and request.cert_subject is None and request.cert_der is None:
            return Ignore("the client showed no certificate")
        if self._require == "any":
            return Admit(reason=f"certificate of {name or request.cert_subject}")
        if not name:
            return Refuse(reason="the certificate has no common name")
        said = {
            "cn": name,
            "username": request.username,
            "clientid": request.client_id,
        }[self._require]
        if said != name:
            return Refuse(reason=f"the certificate's common name is not the {self._require}")
        return Admit(reason=f"certificate of {name}")
