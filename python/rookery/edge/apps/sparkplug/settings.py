"""Settings of the Sparkplug B application, by Neuron's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.edge.apps.mqtt.settings import BROKER, CACHE
from rookery.edge.errors import PARAM_IS_WRONG, EdgeError
from rookery.edge.schema import Field
from rookery.words import Words

_NO_LEVEL = Words("must hold none of + # /", "不能包含 + # /")
_NO_PARAMS = Words("a subscription of Sparkplug B has no parameters", "Sparkplug B 的订阅没有参数")


def _level(text: str) -> Words | None:
    return _NO_LEVEL if not {"+", "#", "/", "\0"}.isdisjoint(text) else None


FIELDS = (
    Field(
        name="group_id",
        type="string",
        title=Words("Group ID", "组 ID"),
        about=Words("First part of the topics", "主题的第一级"),
        is_required=True,
        low=1,
        high=128,
        check=_level,
    ),
    Field(
        name="node_id",
        type="string",
        title=Words("Edge node ID", "边缘节点 ID"),
        about=Words("One of its own in the group", "须在组内唯一"),
        is_required=True,
        low=1,
        high=128,
        check=_level,
    ),
    Field(
        name="commands",
        type="bool",
        title=Words("Take write commands", "接受写入命令"),
        about=Words(
            "Whether DCMD writes to devices; who may publish at the broker may write then",
            "是否允许通过 DCMD 写入设备；能在服务器上发布的客户端即可写入",
        ),
        default=False,
    ),
    *BROKER,
    *CACHE,
)


def check_params(params: Mapping[str, Any], _app: str, _driver: str, _group: str) -> dict[str, Any]:
    """There are none; what the form of MQTT sends is left out."""
    for name, value in params.items():
        if value and name not in ("topic", "static_tags"):
            raise EdgeError(PARAM_IS_WRONG, name=name, reason=_NO_PARAMS)
    return {}
