"""EMQX's ``acl.conf``: rules in Erlang's term syntax, parsed and written.

:func:`parse` gives what the core compiles; it never raises anything but :class:`AclSyntaxError`,
whatever the text.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from rookery.access.acl_file.errors import AclSyntaxError, Misplaced, quoted
from rookery.access.acl_file.rules import RegexCheck, rule_of, topic_of
from rookery.access.acl_file.terms import terms_of
from rookery.access.acl_file.writer import write, write_rule
from rookery.access.errors import Words
from rookery.native.config import AclRule
from rookery.native.patterns import why_no_regex

__all__ = [
    "RULES_MAX",
    "AclSyntaxError",
    "RegexCheck",
    "default_text",
    "load",
    "parse",
    "topic_of",
    "write",
    "write_rule",
]

RULES_MAX = 10_000
"""A file with more belongs into the built-in database."""

_FEWER = Words("at most 10000 rules", "不超过 10000 条规则")
_UNREADABLE = Words("a readable file in UTF-8 ({reason})", "可读取的 UTF-8 文件（{reason}）")
_DEFAULT = "acl.conf"


def parse(
    text: str, *, file: str = "acl.conf", check_regex: RegexCheck = why_no_regex
) -> tuple[AclRule, ...]:
    """The rules of a file in their order, each with its line.

    Raises:
        AclSyntaxError: with line, column and what was expected there.
    """
    rules: list[AclRule] = []
    try:
        for term in terms_of(text):
            if len(rules) == RULES_MAX:
                raise Misplaced(term.place.line, term.place.column, _FEWER, quoted(term.shown()))
            rules.append(rule_of(term, check_regex))
    except Misplaced as error:
        raise AclSyntaxError(file, error.line, error.column, error.expected, error.found) from None
    return tuple(rules)


def load(
    path: Path, *, check_regex: RegexCheck = why_no_regex, is_shown: bool = False
) -> tuple[AclRule, ...]:
    """The rules of the file at ``path``.

    ``is_shown``: whether what is wrong with the file quotes it, which is for those alone who may read
    it themselves.

    Raises:
        AclSyntaxError: the file cannot be read, or parsed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        expected = _UNREADABLE.format(reason=reason or "an error")
        raise AclSyntaxError(str(path), 1, 1, expected, None) from error
    try:
        return parse(text, file=str(path), check_regex=check_regex)
    except AclSyntaxError as error:
        if is_shown:
            raise
        raise error.unshown() from None


def default_text() -> str:
    """The file that a new installation starts with."""
    return resources.files(__name__).joinpath(_DEFAULT).read_text(encoding="utf-8")
