"""Adds who sent a JSON payload and when it arrived, for topics below ``sensors/``."""

from __future__ import annotations

import json

from rookery.plugins import Deny, Message, Plugin

PAYLOAD_FORMAT_INVALID = 0x99


class PayloadTransform(Plugin):
    """``message.publish``."""

    def on_publish(self, message: Message) -> Message | Deny:
        try:
            value = json.loads(message.payload)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            return Deny(PAYLOAD_FORMAT_INVALID) if self.settings["refuse_others"] else message
        value[str(self.settings["time_field"])] = message.timestamp_ms
        value[str(self.settings["client_field"])] = message.client_id
        return message.replace(payload=json.dumps(value, ensure_ascii=False).encode())
