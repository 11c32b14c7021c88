"""Writes the audit, in the transaction of what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.config.secrets import without_secrets
from rookery.control.audit.store import AuditRow
from rookery.control.caller import Access

Result: TypeAlias = Literal["success", "failure"]


class AuditTrail:
    """Adds rows. Nothing changes or removes one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def record(
        self,
        session: AsyncSession,
        access: Access,
        resource: str,
        operation: str,
        *,
        object_id: str = "",
        object_name: str = "",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        result: Result = "success",
    ) -> None:
        """Tell what is done in this unit of work; it is kept if that is.

        Whatever looks like a secret in ``before`` and ``after`` is hidden. Where both are given, what is
        the same in them is left out.
        """
        caller = access.caller
        if before is not None and after is not None:
            changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
            before = {name: value for name, value in before.items() if name in changed}
            after = {name: value for name, value in after.items() if name in changed}
        session.add(
            AuditRow(
                at=self._clock.now_ms(),
                operator_id=caller.id,
                operator_name=caller.name[:254],
                via=caller.via,
                address=caller.address[:64],
                resource=resource,
                operation=operation,
                result=result,
                org_id=access.org_id,
                org_name=access.org_name,
                project_id=access.project_id,
                project_name=access.project_name,
                object_id=object_id,
                object_name=object_name[:254],
                before=None if before is None else without_secrets(dict(before)),
                after=None if after is None else without_secrets(dict(after)),
            )
        )
