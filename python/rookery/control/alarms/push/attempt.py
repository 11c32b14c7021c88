"""What came of one attempt to send."""

from __future__ import annotations

from dataclasses import dataclass

from rookery.control.errors import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt.

    Attributes:
        is_sent: Whether the other side took it.
        is_final: Another attempt would be answered the same.
        status: The HTTP status, where there was one.
        reason: Why it was not sent.
        reason_zh: The same in Chinese.
        retry_after_s: How long the other side asks to be left alone.
        duration_ms: How long it took.
    """

    is_sent: bool
    is_final: bool = False
    status: int | None = None
    reason: str = ""
    reason_zh: str = ""
    retry_after_s: float = 0.0
    duration_ms: int = 0


def sent(status: int | None = None) -> Attempt:
    """It was taken."""
    return Attempt(is_sent=True, status=status)


def failed(
    text: Text,
    *,
    is_final: bool = False,
    status: int | None = None,
    retry_after_s: float = 0.0,
    **values: object,
) -> Attempt:
    """It was not, for a reason."""
    return Attempt(
        is_sent=False,
        is_final=is_final,
        status=status,
        reason=text.en.format(status=status, **values),
        reason_zh=text.zh.format(status=status, **values),
        retry_after_s=retry_after_s,
    )
