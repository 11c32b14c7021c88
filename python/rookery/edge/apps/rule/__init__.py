"""A rule: SQL over what drivers read; its results go to an MQTT broker, back to devices, or both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.contracts.agent_edge import RULE_PLUGIN
from rookery.edge.apps.base import Application, AppType, Place
from rookery.edge.apps.rule.settings import FIELDS, check_params, check_setting
from rookery.words import Words


def _make(setting: Mapping[str, Any], place: Place) -> Application:
    # Loads the core that evaluates rules, and a client library.
    from rookery.edge.apps.rule.app import RuleApplication  # noqa: PLC0415

    return RuleApplication(setting, place)


TYPE = AppType(
    name=RULE_PLUGIN,
    title=Words("Rule", "流处理规则"),
    about=Words(
        "Chooses and computes with SQL, and sends results to an MQTT broker or writes them to devices",
        "用 SQL 筛选和计算采集数据，将结果发送到 MQTT 服务器或写入设备",
    ),
    fields=FIELDS,
    make=_make,
    check_params=check_params,
    check_setting=check_setting,
)
