"""``…/alarms/{settings,rules,windows}``: what holds for the alarms of a project."""

from __future__ import annotations

from fastapi import APIRouter

from rookery.control.alarms.api import PATH, Edits, Sees
from rookery.control.alarms.catalogue import Rule, Severity
from rookery.control.alarms.setting_shown import (
    AlarmSettingsGiven,
    AlarmSettingsShown,
    AlarmTokenMade,
    mail_of,
    settings_of,
    to_settings,
)
from rookery.control.alarms.shown import RuleGiven, RuleShown, WindowGiven, WindowShown, to_rule
from rookery.control.alarms.store import AlarmWindowRow, window_of
from rookery.control.alarms.windows import Repeat, Window
from rookery.control.context import ControlContext
from rookery.control.rest.models import Items
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Alarms"])
    _settings(api, control)
    _token(api, control)
    _rules(api, control)
    _windows(api, control)
    return api


def _settings(api: APIRouter, control: ControlContext) -> None:
    path = PATH + "/settings"

    @api.get(path, summary="Settings of a project's alarms", responses=errors("NOT_FOUND"))
    async def shown(access: Sees) -> AlarmSettingsShown:
        """Without anybody's doing alarms are on."""
        return to_settings(await control.alarms.settings.get(access))

    @api.put(
        path, summary="Change the settings of a project's alarms", responses=errors("NOT_FOUND")
    )
    async def change(access: Edits, given: AlarmSettingsGiven) -> AlarmSettingsShown:
        """Switched off, current alarms become history."""
        mail, password = mail_of(given)
        held = await control.alarms.settings.put(access, settings_of(given), mail, password)
        return to_settings(held)


def _token(api: APIRouter, control: ControlContext) -> None:
    path = PATH + "/token"

    @api.post(
        path,
        status_code=201,
        summary="Make the token for alarms of other programs",
        responses=errors("NOT_FOUND"),
    )
    async def create(access: Edits) -> AlarmTokenMade:
        """The one before is no good any more."""
        return AlarmTokenMade(token=await control.alarms.settings.new_custom_token(access))

    @api.delete(
        path,
        status_code=204,
        summary="Revoke the token for alarms of other programs",
        responses=errors("NOT_FOUND"),
    )
    async def revoke(access: Edits) -> None:
        """No program raises alarms any more."""
        await control.alarms.settings.drop_custom_token(access)


def _rules(api: APIRouter, control: ControlContext) -> None:
    path = PATH + "/rules"

    @api.get(path, summary="Rules of a project's alarms", responses=errors("NOT_FOUND"))
    async def rules(access: Sees, language: LanguageQuery) -> Items[RuleShown]:
        """All that there are."""
        found = await control.alarms.settings.rules(access)
        shown = [to_rule(kind, rule, language) for kind, rule in found.items()]
        return Items(items=shown, total=len(shown))

    @api.put(
        path + "/{kind}",
        status_code=204,
        summary="Change a rule of a project's alarms",
        responses=errors("NOT_FOUND"),
    )
    async def change(access: Edits, kind: str, given: RuleGiven) -> None:
        """Switched off, its current alarms become history."""
        rule = Rule(
            is_enabled=given.is_enabled,
            triggers=given.triggers,
            recoveries=given.recoveries,
            severity=Severity(given.severity),
            threshold=given.threshold,
        )
        await control.alarms.settings.put_rule(access, kind, rule)

    @api.delete(
        path,
        status_code=204,
        summary="Make the rules what they were in the beginning",
        responses=errors("NOT_FOUND"),
    )
    async def reset(access: Edits) -> None:
        """All of the project."""
        await control.alarms.settings.reset_rules(access)


def _windows(api: APIRouter, control: ControlContext) -> None:
    path = PATH + "/windows"

    def shown(row: AlarmWindowRow) -> WindowShown:
        is_now = window_of(row).end_at(control.clock.now_ms()) is not None
        names = WindowShown.model_fields.keys() - {"is_now"}
        return WindowShown.model_validate(
            {**{name: getattr(row, name) for name in names}, "is_now": is_now}
        )

    @api.get(path, summary="Maintenance windows of a project", responses=errors("NOT_FOUND"))
    async def windows(access: Sees) -> Items[WindowShown]:
        """By when they begin."""
        rows = await control.alarms.settings.windows(access)
        return Items(items=[shown(row) for row in rows], total=len(rows))

    @api.post(
        path,
        status_code=201,
        summary="Plan a maintenance window",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS", (409, "EXCEED_LIMIT")),
    )
    async def create(access: Edits, given: WindowGiven) -> WindowShown:
        """Alarms are listed and nobody is told; what goes on afterwards is told then."""
        return shown(await control.alarms.settings.add_window(access, given.name, _window(given)))

    @api.put(
        path + "/{window}",
        summary="Change a maintenance window",
        responses=errors("NOT_FOUND", "ALREADY_EXISTS"),
    )
    async def change(access: Edits, window: str, given: WindowGiven) -> WindowShown:
        """Alarms that wait for its end wait as long as they did."""
        wanted = _window(given)
        return shown(await control.alarms.settings.put_window(access, window, given.name, wanted))

    @api.delete(
        path + "/{window}",
        status_code=204,
        summary="Delete a maintenance window",
        responses=errors("NOT_FOUND"),
    )
    async def delete(access: Edits, window: str) -> None:
        """People are told again."""
        await control.alarms.settings.drop_window(access, window)


def _window(given: WindowGiven) -> Window:
    return Window(
        starts_ms=int(given.starts_at.timestamp() * 1000),
        ends_ms=int(given.ends_at.timestamp() * 1000),
        repeat=Repeat(given.repeat),
        clusters=tuple(given.clusters),
    )
