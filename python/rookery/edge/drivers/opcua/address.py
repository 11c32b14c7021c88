"""Addresses of OPC UA: node ids as the standard writes them, or ``NAMESPACE!ID`` as Neuron does."""

from __future__ import annotations

import re
import uuid

from rookery.edge.drivers.base import bad_address
from rookery.edge.model import Tag
from rookery.words import Words

_SHORT = re.compile(r"(?P<namespace>\d{1,5})!(?P<id>.+)")
_FULL = re.compile(r"(?:ns=(?P<namespace>\d{1,5});)?(?P<kind>[isgb])=(?P<id>.+)")

_FORMS = Words(
    "must be a node id such as ns=2;s=Speed, ns=2;i=1001, 2!Speed or 2!1001",
    "应为节点 ID，例如 ns=2;s=Speed、ns=2;i=1001、2!Speed 或 2!1001",
)
NAMESPACE_MAX = 65_535
NUMBER_MAX = (1 << 32) - 1


def node_id(tag: Tag) -> str:
    """The node id as the standard writes it.

    Raises:
        EdgeError: it is none.
    """
    short = _SHORT.fullmatch(tag.address)
    if short is not None:
        kind, name = "i" if short["id"].isdecimal() else "s", short["id"]
        namespace = int(short["namespace"])
    else:
        full = _FULL.fullmatch(tag.address)
        if full is None:
            raise bad_address(tag, _FORMS)
        kind, name, namespace = full["kind"], full["id"], int(full["namespace"] or 0)
    if namespace > NAMESPACE_MAX or not _fits(kind, name):
        raise bad_address(tag, _FORMS)
    return f"ns={namespace};{kind}={name}"


def _fits(kind: str, name: str) -> bool:
    if kind == "i":
        return name.isdecimal() and int(name) <= NUMBER_MAX
    if kind == "g":
        try:
            uuid.UUID(name)
        except ValueError:
            return False
    return True


def check_tag(tag: Tag) -> None:
    """Refuse a tag whose address is no node id."""
    node_id(tag)
