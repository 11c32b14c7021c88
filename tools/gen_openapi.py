"""Writes openapi.json, openapi-v3.json, control-openapi.json and edge-openapi.json below docs/reference.

They say what the operations of the REST interfaces say.

``--check`` writes nothing and fails when the file is not what the routers say.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rookery.broker.rest.app import document_without_node
from rookery.broker.rest_v3 import document as v3
from rookery.control.rest.document import document as control
from rookery.edge.rest.document import document as edge

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


def main() -> int:
    stale = 0
    for name, make in (
        ("openapi.json", document_without_node),
        ("openapi-v3.json", v3.make),
        ("control-openapi.json", control),
        ("edge-openapi.json", edge),
    ):
        file = FOLDER / name
        made = json.dumps(make(), indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv[1:]:
            file.write_text(made, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != made:
            print(f"{name} is not what the operations say: run tools/gen_openapi.py")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
