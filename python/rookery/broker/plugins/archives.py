"""Archives of plugins on their way from node to node of a cluster, in parts, checked by their digest."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import logging
from collections.abc import Mapping
from typing import Any

from rookery.broker.nodes.service import Nodes
from rookery.broker.plugins.store import PluginStore
from rookery.errors import BadRequestError, NotFoundError, RookeryError, UnavailableError
from rookery.plugins.archive import ARCHIVE_BYTES_MAX
from rookery.words import Words

PART = "plugins.archive"
PART_BYTES = 512 << 10
"""In base64 within what a NATS server takes that nobody configured: 1 MiB."""

_log = logging.getLogger("rookery.plugins")


class Archives:
    """Those of this node for others, and those of others for this node."""

    def __init__(self, store: PluginStore, nodes: Nodes) -> None:
        self._store = store
        self._nodes = nodes
        self._digests: dict[str, str] = {}
        nodes.serve(PART, self._serve)

    async def digest(self, plugin_id: str) -> str:
        """Of what is installed here."""
        known = self._digests.get(plugin_id)
        if known is None:
            content = await asyncio.to_thread(self._store.archive_of, plugin_id)
            known = self._digests[plugin_id] = hashlib.sha256(content).hexdigest()
        return known

    def forget(self, plugin_id: str) -> None:
        """It was removed."""
        self._digests.pop(plugin_id, None)

    async def fetch(self, plugin_id: str, digest: str) -> bytes:
        """The archive with that digest, from whoever has it.

        Raises:
            UnavailableError: nobody who runs has it.
        """
        why = Words("no other node runs", "没有其他运行中的节点")
        for name in self._nodes.others():
            try:
                return await self._fetch_from(name, plugin_id, digest)
            except RookeryError as error:
                why = Words(f"{name}: {error.message}", f"{name}：{error.text('zh')}")
        raise UnavailableError(
            f"its archive could not be fetched: {why.en}", message_zh=f"无法获取插件包：{why.zh}"
        )

    async def _fetch_from(self, name: str, plugin_id: str, digest: str) -> bytes:
        content = bytearray()
        while True:
            body = {"plugin": plugin_id, "digest": digest, "offset": len(content)}
            part, size = _part(await self._nodes.ask(name, PART, body))
            content += part
            if len(content) >= size or not part:
                break
        if hashlib.sha256(content).hexdigest() != digest:
            raise UnavailableError(
                "what came is not what was wanted", message_zh="收到的内容与请求的不符"
            )
        return bytes(content)

    async def _serve(self, body: Any) -> Any:
        try:
            plugin_id, digest = str(body["plugin"]), str(body["digest"])
            offset = int(body["offset"])
        except (KeyError, TypeError, ValueError):
            raise BadRequestError(
                "plugin, digest and offset are wanted", message_zh="需要 plugin、digest 与 offset"
            ) from None
        if not self._store.is_installed(plugin_id) or await self.digest(plugin_id) != digest:
            raise NotFoundError(f"{plugin_id} is not installed", message_zh=f"未安装 {plugin_id}")
        part, size = await asyncio.to_thread(
            self._store.archive_part, plugin_id, max(0, offset), PART_BYTES
        )
        return {"size": size, "part": base64.b64encode(part).decode()}


def _part(answer: Any) -> tuple[bytes, int]:
    try:
        size = int(answer["size"]) if isinstance(answer, Mapping) else -1
        part = base64.b64decode(answer["part"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise UnavailableError(
            "it answered with something else", message_zh="应答的内容无法识别"
        ) from None
    if not 0 <= size <= ARCHIVE_BYTES_MAX or len(part) > PART_BYTES:
        raise UnavailableError(
            "it answered with more than an archive may have", message_zh="应答超过插件包的大小上限"
        )
    return part, size
