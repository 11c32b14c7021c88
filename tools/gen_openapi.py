"""Writes docs/reference/openapi.json from the routers of the REST interface.

``--check`` writes nothing and fails when the file is not what the routers say.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rookery.broker.rest.app import document_without_node

FILE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "openapi.json"


def main() -> int:
    made = json.dumps(document_without_node(), indent=1, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv[1:]:
        FILE.write_text(made, encoding="utf-8")
    elif not FILE.exists() or FILE.read_text(encoding="utf-8") != made:
        print(f"{FILE.name} is not what the routers say: run tools/gen_openapi.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
