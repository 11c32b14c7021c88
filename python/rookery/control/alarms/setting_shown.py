"""What the operations about settings of alarms take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rookery.control.alarms.settings import AlarmSettings, SilenceObject
from rookery.control.mail.settings import MailSettings
from rookery.control.rest.models import Given, Shown, Time
from rookery.types import Secret

SilenceName = Annotated[
    Literal["alarm", "instance"],
    Field(
        description="For what a push silences the next ones: the alarm, or its whole cluster.",
        examples=["alarm"],
    ),
]
Silence = Annotated[
    int,
    Field(ge=0, le=1440, description="Minutes without another push of the same.", examples=[5]),
]
StormAlarms = Annotated[
    int, Field(ge=2, le=1000, description="So many alarms are a storm,", examples=[50])
]
StormSeconds = Annotated[
    int, Field(ge=10, le=3600, description="in so many seconds.", examples=[60])
]
HistoryDays = Annotated[
    int, Field(ge=1, le=3650, description="How long history is kept.", examples=[90])
]
Host = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253, pattern=r"^[^\s/@]+$"),
    Field(description="Name or address of the mail server.", examples=["smtp.example.com"]),
]
MailText = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\r\n\x00]*$")]
Authority = Annotated[
    str,
    StringConstraints(max_length=65536),
    Field(description="PEM of an authority that is trusted besides the usual ones.", examples=[""]),
]


class AlarmMailGiven(Given):
    """A mail server of the project's own."""

    host: Host
    port: int = Field(ge=1, le=65535, description="Its port.", examples=[587])
    security: Literal["starttls", "tls", "none"] = Field(
        description="How it is encrypted.", examples=["starttls"]
    )
    username: MailText = Field(default="", description="Who signs in there.", examples=["ops"])
    password: Annotated[str, StringConstraints(max_length=1024)] | None = Field(
        default=None, description="Its password; absent: the one that is kept.", examples=[None]
    )
    sender: MailText = Field(
        description="From whom messages are.", examples=["Alarms <alarms@example.com>"]
    )
    ca_certificate: Authority = ""


class AlarmMailShown(Shown):
    """The same, without the password."""

    host: str = Field(description="The mail server.", examples=["smtp.example.com"])
    port: int = Field(description="Its port.", examples=[587])
    security: Literal["starttls", "tls", "none"] = Field(
        description="How it is encrypted.", examples=["starttls"]
    )
    username: str = Field(description="Who signs in there.", examples=["ops"])
    sender: str = Field(
        description="From whom messages are.", examples=["Alarms <alarms@example.com>"]
    )
    ca_certificate: str = Field(description="An authority that is trusted.", examples=[""])
    is_password_set: bool = Field(description="Whether there is a password.", examples=[True])


class AlarmSettingsGiven(Given):
    """What holds for the alarms of a project."""

    is_enabled: bool = Field(description="Whether there are alarms at all.", examples=[True])
    only_critical: bool = Field(
        description="Whether critical ones alone are pushed.", examples=[False]
    )
    tells_recovery: bool = Field(
        description="Whether those who were told of an alarm are told that it is over.",
        examples=[True],
    )
    silence_minutes: Silence
    silence_object: SilenceName
    storm_alarms: StormAlarms
    storm_seconds: StormSeconds
    history_days: HistoryDays
    is_custom_enabled: bool = Field(
        description="Whether programs may raise alarms with the project's token.", examples=[False]
    )
    mail: AlarmMailGiven | None = Field(
        default=None, description="The project's own mail server; null: that of the control plane."
    )


class AlarmSettingsShown(Shown):
    """The same, as it holds."""

    is_enabled: bool = Field(description="Whether there are alarms at all.", examples=[True])
    only_critical: bool = Field(
        description="Whether critical ones alone are pushed.", examples=[False]
    )
    tells_recovery: bool = Field(
        description="Whether those who were told of an alarm are told that it is over.",
        examples=[True],
    )
    silence_minutes: Silence
    silence_object: SilenceName
    storm_alarms: StormAlarms
    storm_seconds: StormSeconds
    history_days: HistoryDays
    is_custom_enabled: bool = Field(
        description="Whether programs may raise alarms with the project's token.", examples=[False]
    )
    is_token_set: bool = Field(description="Whether there is such a token.", examples=[False])
    storm_at: Time | None = Field(description="Since when there is an alarm storm; null: none.")
    mail: AlarmMailShown | None = Field(
        description="The project's own mail server; null: that of the control plane."
    )


class AlarmTokenMade(Shown):
    """A token, this once."""

    token: str = Field(
        description="Send it in `X-Rookery-Alarm-Token`. It is shown this once.",
        examples=["rkl_kP4hFqJ8wLr3ZtCe7UamQ6dV0TnB2sYx"],
    )


def settings_of(given: AlarmSettingsGiven) -> AlarmSettings:
    """What the service takes."""
    return AlarmSettings(
        is_enabled=given.is_enabled,
        only_critical=given.only_critical,
        tells_recovery=given.tells_recovery,
        silence_ms=given.silence_minutes * 60_000,
        silence_object=SilenceObject(given.silence_object),
        storm_alarms=given.storm_alarms,
        storm_ms=given.storm_seconds * 1000,
        history_days=given.history_days,
        is_custom_enabled=given.is_custom_enabled,
    )


def mail_of(given: AlarmSettingsGiven) -> tuple[MailSettings | None, str | None]:
    """The mail server, and the password if one was given."""
    mail = given.mail
    if mail is None:
        return None, None
    settings = MailSettings(
        host=mail.host,
        port=mail.port,
        security=mail.security,
        username=mail.username,
        password=Secret(""),
        sender=mail.sender,
        ca_certificate=mail.ca_certificate,
    )
    return settings, mail.password


def to_settings(held: AlarmSettings) -> AlarmSettingsShown:
    """As it is sent."""
    mail = None
    if held.mail:
        mail = AlarmMailShown(**held.mail, is_password_set=held.has_mail_password)
    return AlarmSettingsShown(
        is_enabled=held.is_enabled,
        only_critical=held.only_critical,
        tells_recovery=held.tells_recovery,
        silence_minutes=held.silence_ms // 60_000,
        silence_object=held.silence_object.value,
        storm_alarms=held.storm_alarms,
        storm_seconds=held.storm_ms // 1000,
        history_days=held.history_days,
        is_custom_enabled=held.is_custom_enabled,
        is_token_set=held.has_custom_token,
        storm_at=held.storm_at,
        mail=mail,
    )
