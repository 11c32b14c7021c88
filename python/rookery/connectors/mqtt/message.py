"""What a message must be before it is sent: a broker ends the connection over one that is none."""

from __future__ import annotations

from paho.mqtt.properties import Properties

from rookery.words import Words

TEXT_BYTES_MAX = 65_535
"""Most octets of a topic, and of a text or binary data among the properties."""
INTEGER_MAX = 0xFFFF_FFFF

_NO_TOPIC = Words("the topic is empty", "主题为空")
_LONG_TOPIC = Words(
    "the topic has {size} octets, and 65535 are the most", "主题有 {size} 字节，最多 65535 字节"
)
_NUL_TOPIC = Words("the topic has the character U+0000", "主题包含字符 U+0000")
_WILDCARD = Words("the topic has a wildcard: {topic}", "主题包含通配符：{topic}")
_TOO_LARGE = Words(
    "{size} octets are more than the broker takes", "消息有 {size} 字节，超出了服务器的上限"
)


class BadMessage(ValueError):  # noqa: N818 - what is said of it, not a defect
    """This can be no message; :attr:`words` says why."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


def check_topic(topic: str) -> None:
    """Raises BadMessage: MQTT allows no message with that topic."""
    if not topic:
        raise BadMessage(_NO_TOPIC)
    if "+" in topic or "#" in topic:
        raise BadMessage(_WILDCARD.format(topic=topic[:100]))
    if "\0" in topic:
        raise BadMessage(_NUL_TOPIC)
    size = len(topic.encode())
    if size > TEXT_BYTES_MAX:
        raise BadMessage(_LONG_TOPIC.format(size=size))


def check_size(
    topic: str, payload: bytes, qos: int, packed_properties: bytes, most_octets: int
) -> None:
    """Raises BadMessage: the whole packet is larger than that."""
    rest = 2 + len(topic.encode()) + (2 if qos else 0) + len(packed_properties) + len(payload)
    # The first octet, and seven bits of the length of the rest in each of up to four.
    size = 1 + max(1, -(-rest.bit_length() // 7)) + rest
    if size > most_octets:
        raise BadMessage(_TOO_LARGE.format(size=size))


def packed(properties: Properties | None, is_v5: bool) -> bytes:
    """The properties as they stand in the packet; nothing before MQTT 5."""
    if not is_v5:
        return b""
    found: bytes = properties.pack() if properties is not None else b"\0"
    return found
