"""Payloads of Sparkplug B in protobuf.

The messages are described here as data, as ``sparkplug_b.proto`` of the specification numbers them; the
protobuf library makes classes of that. What the gateway never sends (data sets, templates, properties) is
left out, and skipped where others send it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from rookery.edge.model import TagType, Value

PACKAGE = "rookery.sparkplug"
INT64 = 4
BOOLEAN = 11
DATA_TYPES: Mapping[TagType, int] = {
    TagType.INT8: 1,
    TagType.INT16: 2,
    TagType.INT32: 3,
    TagType.INT64: 4,
    TagType.UINT8: 5,
    TagType.UINT16: 6,
    TagType.UINT32: 7,
    TagType.UINT64: 8,
    TagType.FLOAT: 9,
    TagType.DOUBLE: 10,
    TagType.BIT: 5,
    TagType.BOOL: 11,
    TagType.STRING: 12,
    TagType.BYTES: 17,
    TagType.WORD: 6,
    TagType.DWORD: 7,
    TagType.LWORD: 8,
}
_FLOAT, _DOUBLE, _STRING, _BYTES = 9, 10, 12, 17
_INTS = frozenset({1, 2, 3, 5, 6, 7})
_LONGS = frozenset({4, 8})
_SIGNED = {1: 32, 2: 32, 3: 32, 4: 64}

_Type = descriptor_pb2.FieldDescriptorProto
_METRIC = (
    ("name", 1, _Type.TYPE_STRING),
    ("alias", 2, _Type.TYPE_UINT64),
    ("timestamp", 3, _Type.TYPE_UINT64),
    ("datatype", 4, _Type.TYPE_UINT32),
    ("is_historical", 5, _Type.TYPE_BOOL),
    ("is_transient", 6, _Type.TYPE_BOOL),
    ("is_null", 7, _Type.TYPE_BOOL),
    ("int_value", 10, _Type.TYPE_UINT32),
    ("long_value", 11, _Type.TYPE_UINT64),
    ("float_value", 12, _Type.TYPE_FLOAT),
    ("double_value", 13, _Type.TYPE_DOUBLE),
    ("boolean_value", 14, _Type.TYPE_BOOL),
    ("string_value", 15, _Type.TYPE_STRING),
    ("bytes_value", 16, _Type.TYPE_BYTES),
)
_VALUES = frozenset(name for name, number, _ in _METRIC if number >= 10)


def _made() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="rookery_sparkplug.proto", package=PACKAGE, syntax="proto2"
    )
    metric = file.message_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind in _METRIC:
        field = metric.field.add(name=name, number=number, type=kind, label=_Type.LABEL_OPTIONAL)
        if name in _VALUES:
            field.oneof_index = 0
    payload = file.message_type.add(name="Payload")
    for name, number, kind in (
        ("timestamp", 1, _Type.TYPE_UINT64),
        ("seq", 3, _Type.TYPE_UINT64),
        ("uuid", 4, _Type.TYPE_STRING),
        ("body", 5, _Type.TYPE_BYTES),
    ):
        payload.field.add(name=name, number=number, type=kind, label=_Type.LABEL_OPTIONAL)
    payload.field.add(
        name="metrics",
        number=2,
        type=_Type.TYPE_MESSAGE,
        type_name=f".{PACKAGE}.Metric",
        label=_Type.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Payload"))


Payload = _made()


@dataclass(frozen=True, slots=True)
class Metric:
    """One value; none is one that nobody knows at the moment."""

    name: str
    datatype: int
    value: Value | None


def payload(timestamp_ms: int, metrics: Iterable[Metric]) -> Any:
    """A payload without its number."""
    made = Payload(timestamp=timestamp_ms)
    for metric in metrics:
        one = made.metrics.add(name=metric.name, timestamp=timestamp_ms, datatype=metric.datatype)
        _put(one, metric)
    return made


def _put(one: Any, metric: Metric) -> None:
    value, kind = metric.value, metric.datatype
    if value is None:
        one.is_null = True
    elif kind in _INTS or kind in _LONGS:
        if kind in _SIGNED and isinstance(value, int):
            value &= (1 << _SIGNED[kind]) - 1
        setattr(one, "int_value" if kind in _INTS else "long_value", value)
    elif kind == _FLOAT:
        one.float_value = value
    elif kind == _DOUBLE:
        one.double_value = value
    elif kind == BOOLEAN:
        one.boolean_value = bool(value)
    elif kind == _BYTES:
        one.bytes_value = value
    else:
        one.string_value = str(value)


def metric_of(name: str, kind: TagType, value: Value | None) -> Metric:
    """A tag's value. Scaling makes fractions of whole numbers, which go as double."""
    datatype = DATA_TYPES[kind]
    is_fraction = isinstance(value, float) and kind not in (TagType.FLOAT, TagType.DOUBLE)
    return Metric(name, _DOUBLE if is_fraction else datatype, value)


def encode(made: Any, seq: int | None = None, *, is_historical: bool = False) -> bytes:
    """On the wire; with its number, and marked where it is old."""
    if seq is not None:
        made.seq = seq
    if is_historical:
        for metric in made.metrics:
            metric.is_historical = True
    data: bytes = made.SerializeToString()
    return data


def decode(data: bytes) -> Any:
    """A payload.

    Raises:
        ValueError: it is none.
    """
    made = Payload()
    try:
        made.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(str(error)) from None
    return made


def values_of(made: Any) -> Iterator[tuple[str, Value]]:
    """Names and values of its metrics."""
    for metric in made.metrics:
        field = metric.WhichOneof("value")
        if field is None or metric.is_null:
            continue
        value = getattr(metric, field)
        if metric.datatype in _SIGNED and isinstance(value, int):
            bits = _SIGNED[metric.datatype]
            value -= (value >> (bits - 1)) << bits
        elif field == "float_value":
            value = float(f"{value:.9g}")
        yield metric.name, value
