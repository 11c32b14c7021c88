"""Why a message could not be sent."""

from __future__ import annotations

from rookery.control.errors import InvalidError, Text


class MailError(InvalidError):
    """It was not sent. The text names the hop; ``text("zh")`` says it in Chinese.

    Attributes:
        is_final: Another try will not help: what is sent is refused, not the server away.
    """

    code = "TEST_FAILED"

    def __init__(self, text: Text, *, is_final: bool = False, **values: object) -> None:
        super().__init__(text, code=self.code, **values)
        self.is_final = is_final
