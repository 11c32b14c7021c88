"""What is sent, as the mail server takes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from rookery.clock import Clock

SUBJECT_MAX = 200
# Seven bits go through every server on the way.
POLICY = SMTP.clone(cte_type="7bit")


def compose(
    clock: Clock,
    sender: str,
    recipients: Sequence[str],
    subject: str,
    text: str,
    html: str | None = None,
) -> EmailMessage:
    """A message in UTF-8; what is in a subject adds no headers."""
    message = EmailMessage(policy=POLICY)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = " ".join(subject.split())[:SUBJECT_MAX]
    message["Date"] = format_datetime(datetime.fromtimestamp(clock.now_ms() / 1000, UTC))
    message["Message-ID"] = make_msgid(domain=domain_of(sender))
    # RFC 3834: nobody's absence is to be told to us.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def address_of(sender: str) -> str:
    """``ops@example.com`` of ``Operations <ops@example.com>``."""
    return parseaddr(sender)[1]


def domain_of(sender: str) -> str:
    return address_of(sender).rpartition("@")[2] or "localhost"
