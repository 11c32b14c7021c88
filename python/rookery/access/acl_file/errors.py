"""What is wrong with an ``acl.conf``, where, and what would have been right."""

from __future__ import annotations

from typing import Any

from rookery.access.errors import AccessError, Words
from rookery.config.tree import seen_from

_LINE = Words(
    "{file}:{line}:{column}: expected {expected}, found {found}",
    "{file}:{line}:{column}：应为{expected}，实际为 {found}",
)
# Of a file on the node's machine nobody elsewhere is told what is in it.
_LINE_UNSHOWN = Words(
    "{file}:{line}:{column}: expected {expected}", "{file}:{line}:{column}：应为{expected}"
)
_PATH = "authorization.sources.path"
FOUND_MAX = 40


class AclSyntaxError(AccessError):
    """The first place where the file stops making sense.

    Attributes:
        file: As given by the caller.
        line: From 1.
        column: From 1, in characters.
        expected: What could have stood there.
        found: What stands there, shortened; none of a file that only the node may read.
    """

    code = "BAD_CONFIG"

    def __init__(
        self,
        file: str,
        line: int,
        column: int,
        expected: Words,
        found: Words | None,
        member: str = "",
    ) -> None:
        """``member`` is what named the file in a request, as the sender calls it."""
        template = _LINE if found else _LINE_UNSHOWN
        english, chinese = (
            template.text(language).format(
                file=file,
                line=line,
                column=column,
                expected=expected.text(language),
                found=found.text(language) if found else "",
            )
            for language in ("en", "zh")
        )
        if member:
            english, chinese = f"{member}: {english}", f"{member}：{chinese}"
        super().__init__(Words(english, chinese))
        self.file = file
        self.line = line
        self.column = column
        self.expected = expected
        self.found = found
        self.member = member

    def unshown(self) -> AclSyntaxError:
        """The same without what stands in the file."""
        return AclSyntaxError(self.file, self.line, self.column, self.expected, None)

    def seen_from(self, base: tuple[str, ...], _written: Any = None) -> AclSyntaxError:
        """The same for whoever sent what stands at ``base``: its rules may have been in there."""
        keys = tuple(key for key in base if not key.isdigit())
        if self.found is None:
            member = seen_from(_PATH, keys)
            return AclSyntaxError(
                self.file, self.line, self.column, self.expected, None, member=member
            )
        file = seen_from(self.file, keys)
        return AclSyntaxError(file, self.line, self.column, self.expected, self.found)

    def __reduce__(self) -> tuple[object, ...]:
        told = (self.file, self.line, self.column, self.expected, self.found, self.member)
        return type(self), told


class Misplaced(Exception):  # noqa: N818 - never leaves this package
    """The same without the file's name, between the steps of parsing."""

    def __init__(self, line: int, column: int, expected: Words, found: Words) -> None:
        super().__init__(line, column)
        self.line = line
        self.column = column
        self.expected = expected
        self.found = found


def quoted(text: str) -> Words:
    """How a piece of the file is shown."""
    shown = text if len(text) <= FOUND_MAX else text[: FOUND_MAX - 1] + "…"
    shown = "".join(c if c.isprintable() else f"\\x{{{ord(c):x}}}" for c in shown)
    return Words(shown, shown)
