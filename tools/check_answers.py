"""Holds the answers of a node against the schemas of EMQX's OpenAPI document.

    python tools/check_answers.py --with emqx.json

Starts a node of this checkout and asks every operation that EMQX has too, changes included, so that
each has something to answer: the status has to be one that EMQX documents for success, and the body
has to fit its schema. An operation that nobody asks is an error as well. EMQX's document is not part
of this project, see tools/compare_openapi.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tools"))

from answers.asking import WRONG_THERE, Asker  # noqa: E402
from answers.plan import NOUNS  # noqa: E402
from harness.rest_node import rest_node  # noqa: E402

OURS = ROOT / "docs" / "reference" / "openapi.json"
SETTINGS = {"plugins.install_requires_allow": "false", "sysmon.os.cpu_check_interval": "60s"}
NAMES = {
    "node": "rookery@127.0.0.1",
    "clientid": "sensor-1",
    "topic": "plant/1/state",
    "id": "tcp:extra",
    "code": "NOT_FOUND",
}
OF_NOUN = {"authentication": {"id": "password_based:built_in_database"}}


def problems_of(theirs: dict[str, Any], folder: Path) -> dict[str, list[str]]:
    """Ask a node of its own everything; what is wrong, by operation."""
    found: dict[str, list[str]] = {}
    with rest_node(folder, SETTINGS) as node, node.node.connect("sensor-1", level=5) as sensor:
        sensor.subscribe("plant/1/state", qos=1)
        sensor.publish("plant/1/state", b"21.5", qos=1, retain=True)
        for noun in NOUNS:
            ask = Asker(theirs, node.admin, NAMES | OF_NOUN.get(noun.__name__, {}))
            try:
                noun(ask)
            except (LookupError, TypeError, AssertionError) as error:
                found[noun.__name__] = [f"went no further: {error!r}"]
            for operation, problems in ask.problems.items():
                found.setdefault(operation, []).extend(problems)
        known = Asker(theirs, node.nobody, {})
        ours = json.loads(OURS.read_text(encoding="utf-8"))
        for path, methods in ours["paths"].items():
            for operation in (f"{method.upper()} {path}" for method in methods):
                if known.has(operation) and operation not in found:
                    found[operation] = ["was not asked"]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--with", dest="file", type=Path, required=True)
    arguments = parser.parse_args()
    theirs = json.loads(arguments.file.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        found = problems_of(theirs, Path(folder))
    wrong = {operation: problems for operation, problems in found.items() if problems}
    for operation, problems in sorted(wrong.items(), key=lambda item: item[0].split(" ", 1)[-1]):
        print(operation)
        for problem in dict.fromkeys(problems):
            print("   ", problem)
    passed = sum(operation in WRONG_THERE for operation in found)
    print(
        f"{len(found)} operations asked, {len(wrong)} do not fit; of {passed} the schema is wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
