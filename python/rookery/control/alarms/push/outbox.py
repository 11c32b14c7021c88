"""Decides who is told of what and when, and puts the messages into the database.

A message is written in the unit of work of what it tells, so that none is lost and none tells of what did not
happen. Sending is :mod:`rookery.control.alarms.push.sender`'s.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rookery.control.alarms.catalogue import CUSTOM, OF_EDGES, OF_PUSHES, Kind, Severity
from rookery.control.alarms.project import Project
from rookery.control.alarms.push.store import ChannelRow, DeliveryRow, Event, Medium, State
from rookery.control.alarms.settings import SilenceObject
from rookery.control.alarms.store import AlarmRow, AlarmSilenceRow
from rookery.control.alarms.windows import held_until
from rookery.control.clusters.store import labels_of
from rookery.control.edges.store import labels_of as edge_labels_of
from rookery.storage.ids import new_id

_CLUSTER = "cluster"
STORM_REASON = ("an alarm storm began before it was sent", "发送前发生了告警风暴")


class Outbox:
    """Messages to be sent."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    async def fired(
        self, session: AsyncSession, project: Project, alarm: AlarmRow, now_ms: int
    ) -> None:
        """Tell of an alarm now, or note when it is to be told if it is there by then."""
        alarm.push_due_at = None
        if project.settings.only_critical and alarm.severity != Severity.CRITICAL:
            return
        later_ms = _held_ms(project, alarm, now_ms)
        silence = await self._silence(session, project, alarm)
        if silence is not None and silence.until > now_ms:
            later_ms = max(later_ms or 0, silence.until)
        if later_ms is not None:
            alarm.push_due_at = later_ms
            return
        channels = await _channels_for(session, alarm)
        if not channels:
            return
        for channel in channels:
            for medium in media_of(channel):
                self._put(session, channel, medium, Event.FIRED, content_of(alarm), now_ms, alarm)
        alarm.pushed_at = now_ms
        self._silence_from_now(session, project, alarm, silence, now_ms)

    async def resolved(
        self, session: AsyncSession, project: Project, alarm: AlarmRow, now_ms: int
    ) -> None:
        """Tell those who were told of it that it is over."""
        if not project.settings.tells_recovery or alarm.pushed_at is None:
            return
        await session.flush()
        told = await session.execute(
            select(DeliveryRow.channel_id, DeliveryRow.medium)
            .where(
                DeliveryRow.alarm_id == alarm.id,
                DeliveryRow.event == str(Event.FIRED),
                DeliveryRow.state.in_((str(State.QUEUED), str(State.SENT))),
            )
            .distinct()
        )
        for channel_id, medium in told.all():
            channel = await session.get(ChannelRow, channel_id)
            if channel is not None and channel.is_enabled and medium in media_of(channel):
                content = content_of(alarm)
                self._put(session, channel, Medium(medium), Event.RESOLVED, content, now_ms, alarm)

    async def storm(self, session: AsyncSession, project: Project, now_ms: int) -> None:
        """Tell everybody once; what waits is not sent any more."""
        await session.flush()
        await session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.project_id == project.id, DeliveryRow.state == str(State.QUEUED))
            .values(
                state=str(State.DROPPED),
                finished_at=now_ms,
                reason=STORM_REASON[0],
                reason_zh=STORM_REASON[1],
            )
        )
        content = {
            "startsAt": now_ms,
            "severity": str(Severity.CRITICAL),
            "count": project.recent,
            "seconds": project.settings.storm_ms // 1000,
        }
        for channel in await _enabled(session, project.id):
            for medium in media_of(channel):
                self._put(session, channel, medium, Event.STORM, content, now_ms)

    def _put(
        self,
        session: AsyncSession,
        channel: ChannelRow,
        medium: Medium,
        event: Event,
        content: dict[str, Any],
        now_ms: int,
        alarm: AlarmRow | None = None,
    ) -> None:
        session.add(
            DeliveryRow(
                id=new_id(),
                project_id=channel.project_id,
                channel_id=channel.id,
                channel_name=channel.name,
                medium=str(medium),
                event=str(event),
                alarm_id=None if alarm is None else alarm.id,
                order=now_ms * 1000 + next(self._numbers) % 1000,
                content=content,
                created_at=now_ms,
                due_at=now_ms,
                attempts=0,
                state=str(State.QUEUED),
                finished_at=None,
                status=None,
                reason="",
                reason_zh="",
                duration_ms=None,
            )
        )

    async def _silence(
        self, session: AsyncSession, project: Project, alarm: AlarmRow
    ) -> AlarmSilenceRow | None:
        key = _silence_key(project, alarm)
        return await session.get(AlarmSilenceRow, (project.id, key))

    def _silence_from_now(
        self,
        session: AsyncSession,
        project: Project,
        alarm: AlarmRow,
        silence: AlarmSilenceRow | None,
        now_ms: int,
    ) -> None:
        if project.settings.silence_ms <= 0:
            return
        until = now_ms + project.settings.silence_ms
        if silence is None:
            key = _silence_key(project, alarm)
            session.add(AlarmSilenceRow(project_id=project.id, key=key, until=until))
        else:
            silence.until = until


def media_of(channel: ChannelRow) -> Sequence[Medium]:
    """By which ways it tells."""
    found = []
    if channel.recipients:
        found.append(Medium.MAIL)
    if channel.webhook_kind:
        found.append(Medium.WEBHOOK)
    return found


def content_of(alarm: AlarmRow) -> dict[str, Any]:
    """What a message needs of it, as it is now."""
    return {
        "id": alarm.id,
        "kind": alarm.kind,
        "message": alarm.message,
        "messageZh": alarm.message_zh,
        "severity": alarm.severity,
        "resourceType": alarm.resource_type,
        "resourceId": alarm.resource_id,
        "resourceName": alarm.resource_name,
        "startsAt": alarm.starts_at,
        "endsAt": alarm.ends_at,
    }


def _held_ms(project: Project, alarm: AlarmRow, now_ms: int) -> int | None:
    cluster_id = alarm.resource_id if alarm.resource_type == _CLUSTER else None
    return held_until(project.windows, cluster_id, now_ms)


def _silence_key(project: Project, alarm: AlarmRow) -> str:
    if project.settings.silence_object is SilenceObject.INSTANCE and alarm.resource_id:
        return f"{alarm.resource_type}:{alarm.resource_id}"
    return alarm.key


async def _enabled(session: AsyncSession, project_id: str) -> Sequence[ChannelRow]:
    rows = await session.scalars(
        select(ChannelRow).where(
            ChannelRow.project_id == project_id, ChannelRow.is_enabled.is_(True)
        )
    )
    return rows.all()


async def _channels_for(session: AsyncSession, alarm: AlarmRow) -> list[ChannelRow]:
    """Those that are for this alarm."""
    channels = await _enabled(session, alarm.project_id)
    if not channels:
        return []
    kind = Kind(alarm.kind)
    if kind in OF_PUSHES:
        # A way that fails is not the one to tell of it.
        return [channel for channel in channels if channel.id != alarm.resource_id]
    if kind is CUSTOM:
        tags = [alarm.tag] if alarm.tag else []
        return [channel for channel in channels if not tags or _is_for(channel, tags)]
    if kind in OF_EDGES:
        found = await edge_labels_of(session, [alarm.resource_id])
        edge_labels = found.get(alarm.resource_id, [])
        return [channel for channel in channels if _is_for(channel, edge_labels)]
    labels = (await labels_of(session, [alarm.resource_id])).get(alarm.resource_id, [])
    return [channel for channel in channels if channel.pushes_clusters and _is_for(channel, labels)]


def _is_for(channel: ChannelRow, labels: Iterable[str]) -> bool:
    wanted: Collection[str] = channel.labels
    return not wanted or any(label in wanted for label in labels)
