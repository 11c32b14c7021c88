"""What the operations of signing in elsewhere take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from rookery.control.mail.models import Authority
from rookery.control.oidc.settings import SCOPES, OidcSettings
from rookery.control.rest.models import Given, Shown, Time
from rookery.types import Secret

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=50, pattern=r"^[^\x00-\x1f\x7f]+$"),
    Field(description="What the button at the sign-in says.", examples=["Company account"]),
]
Issuer = Annotated[
    str,
    StringConstraints(max_length=512, pattern=r"^https?://[^\s?#@]+$"),
    Field(
        description="The provider, exactly as it names itself.",
        examples=["https://id.example.com/realms/main"],
    ),
]
ClientId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$"),
    Field(description="What the provider calls this control plane.", examples=["rookery"]),
]
Scopes = Annotated[
    str,
    StringConstraints(max_length=500, pattern=r"^openid( [\x21\x23-\x5b\x5d-\x7e]+)*$"),
    Field(description="What is asked for; begins with `openid`.", examples=[SCOPES]),
]
Domain = Annotated[str, StringConstraints(max_length=253, pattern=r"^[0-9a-z.-]+$")]
Domains = Annotated[
    list[Domain],
    Field(
        max_length=50,
        description="Of e-mail addresses that may sign in; none: all may.",
        examples=[["example.com"]],
    ),
]
OneTimeText = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class OidcGiven(Given):
    """A provider."""

    name: Name
    issuer: Issuer
    client_id: ClientId
    client_secret: Annotated[
        str | None,
        Field(
            max_length=1024,
            description="Null: the one that is kept, if issuer and client are the same. Empty: none.",
            examples=["9sQ4x2"],
        ),
    ] = None
    scopes: Scopes = SCOPES
    domains: Domains = Field(default_factory=list)
    ca_certificate: Authority = ""

    def settings(self, kept: OidcSettings | None) -> OidcSettings:
        """What was given, with the secret that is kept where none was.

        Raises:
            InvalidError: it cannot work.
        """
        given = OidcSettings(
            name=self.name,
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=Secret(""),
            scopes=self.scopes,
            domains=tuple(self.domains),
            ca_certificate=self.ca_certificate,
        ).with_kept(self.client_secret, kept)
        given.check()
        return given


class OidcShown(Shown):
    """The provider."""

    is_set: bool = Field(description="There is one.", examples=[True])
    name: str = Field(
        description="What the button at the sign-in says.", examples=["Company account"]
    )
    issuer: str = Field(
        description="Empty: not set.", examples=["https://id.example.com/realms/main"]
    )
    client_id: str = Field(
        description="What the provider calls this control plane.", examples=["rookery"]
    )
    is_secret_set: bool = Field(
        description="There is a client secret; nobody is shown it.", examples=[True]
    )
    scopes: str = Field(description="What is asked for.", examples=[SCOPES])
    domains: list[str] = Field(
        description="Of e-mail addresses that may sign in; none: all may.",
        examples=[["example.com"]],
    )
    ca_certificate: Authority
    redirect_uri: str = Field(
        description="To be registered at the provider.",
        examples=["https://control.example.com:8082/oidc/callback"],
    )


class BeginGiven(Given):
    """A browser that goes to the provider."""

    binding: Annotated[
        str,
        StringConstraints(min_length=43, max_length=128, pattern=r"^[0-9A-Za-z_-]+$"),
        Field(
            description="256 random bits that the browser keeps for itself until it is back.",
            examples=["kP4hFqJ8wLr3ZtCe7UamQ6dV0TnB2sYxkP4hFqJ8wLr"],
        ),
    ]


class BegunShown(Shown):
    """Where it goes."""

    url: str = Field(
        description="A page of the provider.",
        examples=["https://id.example.com/authorize?response_type=code&client_id=rookery"],
    )


class FinishGiven(BeginGiven):
    """A browser that is back."""

    state: OneTimeText = Field(
        description="As it came back.", examples=["Ue3k0Jq7Lw5Rt8Yp2Za4Xc6Vb1Nm9Qs"]
    )
    code: Annotated[str, StringConstraints(min_length=1, max_length=4096)] = Field(
        description="As it came back.", examples=["SplxlOBeZQQYbYS6WxSbIA"]
    )
    iss: Annotated[str | None, StringConstraints(max_length=512)] = Field(
        default=None,
        description="As it came back, if it did.",
        examples=["https://id.example.com/realms/main"],
    )


class AccountShown(Shown):
    """An account elsewhere."""

    issuer: str = Field(description="Whose.", examples=["https://id.example.com/realms/main"])
    subject: str = Field(description="What the provider calls that one.", examples=["f3c1a9"])
    created_at: Time = Field(description="Since when it is bound.")
