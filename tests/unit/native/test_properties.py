"""Message properties go over the boundary and come back unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.errors import BadRequestError, InternalError
from rookery.native.properties import (
    NO_PROPERTIES,
    Properties,
    decode_properties,
    encode_properties,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TOPIC = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0+#"), min_size=1, max_size=40
)


@given(
    st.builds(
        Properties,
        st.none() | st.sampled_from([0, 1]),
        st.none() | TEXT,
        st.none() | TOPIC,
        st.none() | st.binary(max_size=40),
        st.lists(st.tuples(TEXT, TEXT), max_size=5).map(tuple),
    )
)
def test_what_is_encoded_is_decoded(properties: Properties) -> None:
    assert decode_properties(encode_properties(properties)) == properties


def test_the_encoding_is_that_of_the_specification() -> None:
    # MQTT-5.0 section 2.2.2.2: identifier, then the value in its type.
    encoded = encode_properties(Properties(1, "a", "b", b"c", (("d", "e"),)))

    assert encoded == (b"\x01\x01\x03\x00\x01a\x08\x00\x01b\x09\x00\x01c\x26\x00\x01d\x00\x01e")


def test_nothing_is_nothing() -> None:
    assert encode_properties(NO_PROPERTIES) == b""
    assert encode_properties(Properties()) == b""
    assert decode_properties(b"") is NO_PROPERTIES


@pytest.mark.parametrize(
    "properties",
    [
        Properties(payload_format_indicator=2),
        Properties(content_type="a\0b"),
        Properties(content_type="\ud800"),
        Properties(content_type="x" * 65_536),
        Properties(response_topic="a/#"),
        Properties(response_topic=""),
        Properties(correlation_data=b"x" * 65_536),
        Properties(user_properties=(("a", "x" * 65_536),)),
    ],
)
def test_what_mqtt_forbids_is_refused(properties: Properties) -> None:
    with pytest.raises(BadRequestError):
        encode_properties(properties)


@pytest.mark.parametrize("pair", [("a", 1), (1, "a"), ("a",), "ab", 1])
def test_a_user_property_that_is_no_pair_of_texts_is_named(pair: Any) -> None:
    with pytest.raises(BadRequestError) as found:
        encode_properties(Properties(user_properties=(pair,)))
    assert str(found.value) == f"user_properties holds pairs of text and text, not {pair!r}"


def test_a_property_that_does_not_travel_is_a_defect() -> None:
    with pytest.raises(InternalError, match="0x02"):
        decode_properties(b"\x02\x00\x00\x00\x01")
