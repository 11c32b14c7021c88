"""Sends alarms by mail: by the project's own server, or by the one of the whole control plane."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape

from rookery.clock import Clock
from rookery.control.alarms.push.attempt import Attempt, failed, sent
from rookery.control.alarms.push.messages import Origin, Told, headline, lines_of
from rookery.control.alarms.push.network import ForbiddenTargetError, Targets, check_all
from rookery.control.errors import InvalidError
from rookery.control.mail import texts
from rookery.control.mail.errors import MailError
from rookery.control.mail.message import compose
from rookery.control.mail.settings import MailSettings
from rookery.control.mail.smtp import deliver

AT_ONCE = 50
GAP_MS = 30_000
"""What happens in such a time after a mail goes into the next one together."""


class Mails:
    """Sends one mail."""

    def __init__(self, clock: Clock, targets: Targets) -> None:
        self._clock = clock
        self._targets = targets

    async def send(
        self,
        mail: MailSettings | None,
        recipients: Sequence[str],
        told: Sequence[Told],
        origin: Origin,
        *,
        is_own: bool,
    ) -> Attempt:
        """One attempt.

        Args:
            mail: The server; none where none is set.
            recipients: To whom.
            told: Of what.
            origin: Where that is from.
            is_own: Whether the server is the project's own, who may not be just anywhere.
        """
        if mail is None:
            return failed(texts.NOT_SET)
        try:
            message = compose(
                self._clock,
                mail.sender,
                recipients,
                headline(told, origin),
                _text(told, origin),
                _html(told, origin),
            )
            check = partial(check_all, mail.host, targets=self._targets) if is_own else None
            await deliver(mail, recipients, message, check)
        except MailError as error:
            return _failed(error, is_final=error.is_final)
        except ForbiddenTargetError as error:
            return _failed(error, is_final=True)
        except InvalidError as error:
            return _failed(error, is_final=False)
        return sent()


def _failed(error: InvalidError, *, is_final: bool) -> Attempt:
    return Attempt(
        is_sent=False, is_final=is_final, reason=error.message, reason_zh=error.text("zh")
    )


def _text(told: Sequence[Told], origin: Origin) -> str:
    parts = ["\n".join(lines_of(each)) for each in told]
    parts.append("\n".join(filter(None, (f"{origin.org} / {origin.project}", origin.link))))
    return "\n\n".join(parts) + "\n"


def _html(told: Sequence[Told], origin: Origin) -> str:
    rows = []
    for each in told:
        color = "#c92a2a" if each.severity == "critical" else "#e67700"
        if each.ends_ms is not None:
            color = "#2b8a3e"
        head, *rest = (escape(line) for line in lines_of(each))
        below = "<br>".join(rest)
        rows.append(
            f'<p style="border-left:4px solid {color};padding-left:10px">'
            f"<strong>{head}</strong><br>{below}</p>"
        )
    place = escape(f"{origin.org} / {origin.project}")
    link = escape(origin.link)
    foot = f'<a href="{link}">{link}</a>' if origin.link else ""
    return f"<html><body>{''.join(rows)}<p>{place}<br>{foot}</p></body></html>"
