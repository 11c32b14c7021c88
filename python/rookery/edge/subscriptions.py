"""Which application gets which group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.edge import store
from rookery.edge.apps.base import AppType
from rookery.edge.core import Core, whole
from rookery.edge.errors import GROUP_ALREADY_SUBSCRIBED, EdgeError
from rookery.edge.model import Subscription


class Subscriptions:
    """Part of :class:`rookery.edge.service.EdgeService`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def all(self) -> tuple[Subscription, ...]:
        """Of all applications."""
        return tuple(self._core.state.subscriptions.values())

    def of_app(self, app: str) -> tuple[Subscription, ...]:
        """Of an application.

        Raises:
            EdgeError: it is none.
        """
        self._core.state.app(app)
        return self._core.state.of_app(app)

    def of_driver(self, driver: str, group: str | None = None) -> tuple[Subscription, ...]:
        """To a driver, or to one of its groups.

        Raises:
            EdgeError: there is none.
        """
        self._core.state.driver(driver)
        if group is not None:
            self._core.state.group(driver, group)
        return self._core.state.of_driver(driver, group)

    @whole
    async def add(
        self, app: str, driver: str, group: str, params: Mapping[str, Any] | None = None
    ) -> Subscription:
        """A new one.

        Raises:
            EdgeError: there is no such application, driver or group, it is there already, or the
                parameters are wrong.
        """
        core = self._core
        async with core.changing:
            core.state.app(app)
            core.state.group(driver, group)
            if (app, driver, group) in core.state.subscriptions:
                raise EdgeError(GROUP_ALREADY_SUBSCRIBED, app=app, driver=driver, group=group)
            return await self._keep(app, driver, group, params or {})

    @whole
    async def update(
        self, app: str, driver: str, group: str, params: Mapping[str, Any]
    ) -> Subscription:
        """Other parameters.

        Raises:
            EdgeError: there is none, or the parameters are wrong.
        """
        core = self._core
        async with core.changing:
            core.state.subscription(app, driver, group)
            return await self._keep(app, driver, group, params)

    @whole
    async def delete(self, app: str, driver: str, group: str) -> None:
        """It gets nothing more of it.

        Raises:
            EdgeError: there is none.
        """
        core = self._core
        async with core.changing:
            core.state.subscription(app, driver, group)
            await core.store.change(store.delete_subscription(app, driver, group))
            del core.state.subscriptions[app, driver, group]
            core.engine.resubscribe()

    async def _keep(
        self, app: str, driver: str, group: str, params: Mapping[str, Any]
    ) -> Subscription:
        core = self._core
        checked = checked_params(core, app, driver, group, params)
        made = Subscription(app=app, driver=driver, group=group, params=checked)
        await core.store.change(store.put_subscription(made))
        core.state.subscriptions[app, driver, group] = made
        core.engine.resubscribe()
        return made


def checked_params(
    core: Core, app: str, driver: str, group: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    """Parameters as they are kept.

    Raises:
        EdgeError: they are wrong.
    """
    kind = core.plugins.type(core.state.app(app).plugin)
    return kind.check_params(params, app, driver, group) if isinstance(kind, AppType) else {}
