"""To whom something is delivered, and with which values."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.caller import Access
from rookery.control.distribution import render, texts
from rookery.control.distribution.render import Document
from rookery.control.distribution.sealed import Draft, Sealed
from rookery.control.distribution.store import TemplateRow
from rookery.control.distribution.templates import template_of, version_of
from rookery.control.edges.store import EdgeServiceRow, services_with
from rookery.control.errors import InvalidError
from rookery.storage.database import Database

TARGETS_MAX = 200


@dataclass(frozen=True, slots=True)
class Aim:
    """To whom, and with which values.

    Attributes:
        labels: Edge services that have all of these; no label: all.
        service_ids: Just these of them, if any is named.
        defaults: Values for all, instead of the parameters' own.
        values: Values for one edge service, by its id.
    """

    labels: Sequence[str] = ()
    service_ids: Sequence[str] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, service_id: str) -> dict[str, str]:
        """The values for one."""
        return {**self.defaults, **self.values.get(service_id, {})}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What can be delivered, and who is meant."""

    template: TemplateRow
    number: int
    draft: Draft
    document: Document
    targets: Sequence[EdgeServiceRow]


async def prepared(
    database: Database, sealed: Sealed, access: Access, template_id: str, number: int, aim: Aim
) -> Prepared:
    """Find it all.

    Raises:
        InvalidError: nobody is meant, too many are, or one that is not there.
        MissingError: there is no such template or version.
        OutOfReachError: the template cannot be opened here.
    """
    async with database.read() as session:
        row = await template_of(session, access, template_id)
        version = await version_of(session, row, number)
        targets = await _targets(session, access, aim)
    draft = sealed.opened_draft(version.sealed)
    document = await asyncio.to_thread(render.read, draft.content, draft.parameters)
    return Prepared(row, version.number, draft, document, targets)


async def _targets(session: AsyncSession, access: Access, aim: Aim) -> Sequence[EdgeServiceRow]:
    targets = await services_with(session, access.project, aim.labels)
    here = {target.id for target in targets}
    for service_id in (*aim.service_ids, *aim.values):
        if service_id not in here:
            raise InvalidError(texts.GONE_TARGET, id=service_id)
    if aim.service_ids:
        named = set(aim.service_ids)
        targets = [target for target in targets if target.id in named]
    if not targets:
        raise InvalidError(texts.NO_TARGETS)
    if len(targets) > TARGETS_MAX:
        raise InvalidError(texts.TOO_MANY_TARGETS, count=len(targets), most=TARGETS_MAX)
    return targets
