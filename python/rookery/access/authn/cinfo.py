"""``cinfo``: rules over what a client says about itself; the first that fits decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rookery.access.expressions import Expression
from rookery.access.request import VARIABLES, AuthRequest
from rookery.access.verdict import Admit, Ignore, Opinion, Refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One rule: all of ``is_match`` must be true."""

    is_match: tuple[str, ...]
    result: Literal["allow", "deny", "ignore"]


class ClientInfoProvider:
    """``mechanism = cinfo``."""

    id = "cinfo"
    methods: tuple[str, ...] = ()

    def __init__(self, checks: Sequence[Check]) -> None:
        """Compile the expressions.

        Raises:
            SettingError: says which one cannot be.
        """
        self._checks = [
            (
                [
                    Expression(source, known=VARIABLES, where=f"cinfo.checks.{number}.is_match")
                    for source in check.is_match
                ],
                check.result,
            )
            for number, check in enumerate(checks, start=1)
        ]

    async def start(self) -> None:
        """Nothing is open."""

    async def stop(self) -> None:
        """Nothing is open."""

    async def authenticate(self, request: AuthRequest) -> Opinion:
        for number, (expressions, result) in enumerate(self._checks, start=1):
            if all(expression.is_true(request.variable) for expression in expressions):
                reason = f"check {number} fits"
                match result:
                    case "allow":
                        return Admit(reason=reason)
                    case "deny":
                        return Refuse(reason=reason)
                return Ignore(reason)
        return Ignore("no check fits")
