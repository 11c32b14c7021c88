"""Who asks."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Role: TypeAlias = Literal["administrator", "viewer", "publisher"]
Via: TypeAlias = Literal["token", "api_key", "local", "sso", "control"]

CALLER = "rookery.caller"
"""Where a request carries who asks, in its scope."""

ASSERTED = "rookery.asserted"
"""Where a request that was made in this process carries who asks; nothing from outside gets there."""

FAILURE = "rookery.failure"
"""Where a request carries why it was refused, in English whatever language the answer has."""


class Caller(NamedTuple):
    """Who asks.

    Attributes:
        name: The user, the name of the API key, or ``local:USER`` with the user id on the machine.
        role: What that one may do.
        via: How it was told who asks; ``local`` is the node's own socket, ``control`` the control plane
            that an edge service is connected to.
        address: From where, without the port; empty on the node's own socket.
        must_change_password: Nothing else is allowed before that.
        token: The token that was sent, for signing out.
        key: The API key whose sign-in code it was; ``name`` is what that key called somebody then.
    """

    name: str
    role: Role
    via: Via
    address: str = ""
    must_change_password: bool = False
    token: str = ""
    key: str = ""
