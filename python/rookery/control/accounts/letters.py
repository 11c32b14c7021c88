"""The messages of accounts, in the language of who gets them."""

from __future__ import annotations

from dataclasses import dataclass

from rookery.control.errors import Text
from rookery.control.mail.outbox import Letter

INVITED = Text("You are invited to Rookery", "Rookery 邀请")
INVITED_BODY = Text(
    "{inviter} invites you to the Rookery control plane at {address}{place}.\n\n"
    "Choose a name and a password here:\n\n    {link}\n\n"
    "The link works once, within {hours} hours. If you did not expect it, do nothing.\n",
    "{inviter} 邀请您加入 Rookery 控制面 {address}{place}。\n\n"
    "请打开以下链接设置姓名和密码：\n\n    {link}\n\n"
    "链接仅可使用一次，{hours} 小时内有效。如非本人预期，请忽略此邮件。\n",
)
PLACE = Text(", for {place}", "（{place}）")
RESET = Text("Set another password for Rookery", "重置 Rookery 密码")
RESET_BODY = Text(
    "Somebody, from {origin}, asked for another password for {email} at {address}.\n\n"
    "Set it here:\n\n    {link}\n\n"
    "The link works once, within {minutes} minutes. If it was not you, do nothing: your password stays.\n",
    "有人（来自 {origin}）请求重置 {email} 在 {address} 的密码。\n\n"
    "请打开以下链接设置新密码：\n\n    {link}\n\n"
    "链接仅可使用一次，{minutes} 分钟内有效。如非本人操作，请忽略此邮件，密码不会改变。\n",
)
# What follows # is sent to no server and stands in no log.
INVITATION_PATH = "#/invitation"
RESET_PATH = "#/password-reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Who is invited, by whom, where to."""

    email: str
    language: str
    inviter: str
    place: str
    token: str
    hours: int
    until_ms: int


def link(address: str, path: str, token: str) -> str:
    """Where somebody goes on."""
    return f"{address}/{path}?token={token}"


def invitation(address: str, to: Invited) -> Letter:
    """What somebody who is invited reads."""
    place = _in(to.language, PLACE).format(place=to.place) if to.place else ""
    return Letter(
        recipient=to.email,
        subject=_in(to.language, INVITED),
        text=_in(to.language, INVITED_BODY).format(
            inviter=to.inviter,
            address=address,
            place=place,
            link=link(address, INVITATION_PATH, to.token),
            hours=to.hours,
        ),
        until_ms=to.until_ms,
    )


def reset(
    address: str, email: str, language: str, token: str, *, origin: str, minutes: int, until_ms: int
) -> Letter:
    """What somebody who forgot the password reads."""
    return Letter(
        recipient=email,
        subject=_in(language, RESET),
        text=_in(language, RESET_BODY).format(
            origin=origin,
            email=email,
            address=address,
            link=link(address, RESET_PATH, token),
            minutes=minutes,
        ),
        until_ms=until_ms,
    )


def _in(language: str, text: Text) -> str:
    return text.zh if language == "zh" else text.en
