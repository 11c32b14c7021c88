"""What can be commanded: a closed list."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, get_args

SET_QUOTA = "quota.set"
RELEASE_QUOTA = "quota.release"
OF_QUOTA = frozenset({SET_QUOTA, RELEASE_QUOTA})
UNREGISTER = "unregister"

Asked: TypeAlias = Literal[
    "rule.start",
    "rule.stop",
    "connector.start",
    "connector.stop",
    "action.start",
    "action.stop",
    "source.start",
    "source.stop",
]
"""What people can ask for as it is; the others are part of something."""

Kind: TypeAlias = Literal[
    "quota.set",
    "quota.release",
    "unregister",
    "rule.start",
    "rule.stop",
    "connector.start",
    "connector.stop",
    "action.start",
    "action.stop",
    "source.start",
    "source.stop",
]
KINDS: frozenset[str] = frozenset(get_args(Kind))
OBJECT_ID = r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,255}"
_OBJECT_ID = re.compile(OBJECT_ID)


def subject_of(kind: str, object_id: str) -> str:
    """What a command is about: a newer one about the same replaces one that was not sent."""
    return f"{kind.partition('.')[0]}:{object_id}"


def is_object_id(text: str) -> bool:
    """Whether something at a cluster can be called so."""
    return _OBJECT_ID.fullmatch(text) is not None
