"""What the operations of mail take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from rookery.control.mail.settings import MailSettings, Security
from rookery.control.rest.models import Given, Shown
from rookery.types import Secret

Host = Annotated[
    str,
    StringConstraints(max_length=253, pattern=r"^[0-9A-Za-z._:-]+$"),
    Field(description="Name or address of the server.", examples=["smtp.example.com"]),
]
Port = Annotated[int, Field(ge=1, le=65535, description="Its port.", examples=[587])]
SecurityWord = Annotated[
    Security,
    Field(
        description="`starttls` (587, 25), `tls` from the first byte (465), or `none`: whoever is on "
        "the way reads everything.",
        examples=["starttls"],
    ),
]
UserName = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(description="Empty: the server asks for none.", examples=["rookery"]),
]
Sender = Annotated[
    str,
    StringConstraints(
        max_length=254,
        pattern=r"^([^\x00-\x1f\x7f<>\"]{1,100} <[^\s@<>\x00-\x1f]{1,64}@[^\s@<>\x00-\x1f]{1,180}>"
        r"|[^\s@<>\x00-\x1f]{1,64}@[^\s@<>\x00-\x1f]{1,180})$",
    ),
    Field(
        description="From whom messages are: an address, or `Name <address>`.",
        examples=["Rookery <rookery@example.com>"],
    ),
]
Authority = Annotated[
    str,
    StringConstraints(max_length=65536),
    Field(
        description="PEM of an authority of your own that signed the server's certificate; empty: those "
        "of the system.",
        examples=[""],
    ),
]


class MailGiven(Given):
    """A mail server."""

    host: Host
    port: Port
    security: SecurityWord = "starttls"
    username: UserName = ""
    password: Annotated[
        str | None,
        Field(
            max_length=256,
            description="Null: the one that is kept, if server and user are the same. Empty: none.",
            examples=["app-password-1"],
        ),
    ] = None
    sender: Sender
    ca_certificate: Authority = ""

    def settings(self, kept: MailSettings | None) -> MailSettings:
        """What was given, with the password that is kept where none was.

        Raises:
            InvalidError: it cannot work.
        """
        given = MailSettings(
            host=self.host,
            port=self.port,
            security=self.security,
            username=self.username,
            password=Secret(""),
            sender=self.sender,
            ca_certificate=self.ca_certificate,
        ).with_kept(self.password, kept)
        given.check()
        return given


class MailShown(Shown):
    """The mail server."""

    is_set: bool = Field(description="There is one.", examples=[True])
    host: str = Field(description="Name or address; empty: not set.", examples=["smtp.example.com"])
    port: int = Field(description="Its port.", examples=[587])
    security: SecurityWord
    username: str = Field(description="Empty: none.", examples=["rookery"])
    is_password_set: bool = Field(
        description="There is a password; nobody is shown it.", examples=[True]
    )
    sender: str = Field(
        description="From whom messages are.", examples=["Rookery <rookery@example.com>"]
    )
    ca_certificate: Authority
    waiting: int = Field(description="Messages that wait to be sent.", examples=[0])
    last_error: str = Field(
        description="Why the one tried last waits; empty: none does.", examples=[""]
    )
