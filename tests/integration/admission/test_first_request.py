"""What is loaded when: nothing for a node that nobody asks, everything for the first request."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.rest_node import PREFIX, RestNode
from integration.admission.conftest import Start

# The compiled half of the framework: what a process has loaded stands in its memory map.
FRAMEWORK = "_pydantic_core"
FAILURE = "broken on purpose"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def has_framework(node: RestNode) -> bool:
    maps = Path(f"/proc/{node.node.pid}/maps").read_text("utf-8")
    return FRAMEWORK in maps


def test_the_framework_comes_with_the_first_request(
    start_rest: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_TEST_COLD", "1")
    node = start_rest()
    node.node.assert_served()
    port = node.port()  # asked at the node's own socket
    assert node.nobody.ask("GET", "/status").status == 200
    assert not has_framework(node)

    with ThreadPoolExecutor(8) as callers:
        paths = [f"{PREFIX}/status", f"{PREFIX}/nodes"] * 4
        answers = list(callers.map(lambda path: node.nobody.ask("GET", path), paths))

    assert [answer.status for answer in answers] == [200, 401] * 4
    assert has_framework(node)
    assert node.port() == port
    assert node.admin.get("/nodes").json[0]["node_status"] == "running"


def test_an_interface_that_cannot_be_put_together_stops_no_message(
    start_rest: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "fastapi.py").write_text(f"raise RuntimeError({FAILURE!r})\n")
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(shadow), before])))
    node = start_rest()
    nobody = node.nobody

    refused = nobody.ask("GET", f"{PREFIX}/nodes")
    assert (refused.status, refused.code) == (503, "SERVICE_UNAVAILABLE")
    assert nobody.ask("GET", "/api-docs/swagger.json").status == 503
    assert nobody.ask("GET", "/status").status == 200
    node.node.assert_served()
    assert any(FAILURE in line for line in node.node.log)


def test_a_package_that_is_missing_is_told_at_the_start(
    start_rest: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python runs this file before anything else; the package is not found from then on.
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'fastapi':\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Missing())\n"
    )
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join(filter(None, [str(tmp_path / "site"), before]))
    )

    node = start_rest()
    node.node.assert_served()
    node.port()
    assert any("fastapi" in line and "missing" in line for line in node.node.log)
