"""Text that somebody else chose, where people read it: letters stay as they are.

What is escaped is what could end a line, control a terminal or turn the direction of what stands beside
it: control characters, separators of lines and paragraphs, bidirectional controls, and halves of
surrogate pairs, which nobody could write down.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """``text`` with all of that escaped as in a string of Python."""
    return _HIDDEN.sub(lambda found: ascii(found[0])[1:-1], text)


def json_line(entry: Mapping[str, object]) -> str:
    """``entry`` as JSON on one line: whoever reads it as JSON gets the values as they are."""
    text = json.dumps(entry, ensure_ascii=False)
    # Outside of strings there is none of these.
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
