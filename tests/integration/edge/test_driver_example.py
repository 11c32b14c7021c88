"""The example of a driver works, found the way in which an installed one is found."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.client import DEADLINE_S
from rookery.edge import plugins
from rookery.edge.errors import EdgeError
from rookery.edge.model import Attribute, Tag, TagType
from rookery.edge.service import EdgeService

EXAMPLE = Path(__file__).parents[3] / "examples" / "edge_driver"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What an installer leaves: the package, and a note of its entry points."""
    note = tmp_path / "site" / "rookery_file_driver-0.1.0.dist-info"
    note.mkdir(parents=True)
    (note / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: rookery-file-driver\nVersion: 0.1.0\n"
    )
    (note / "entry_points.txt").write_text("[rookery.edge.plugins]\nfile = file_driver:TYPE\n")
    monkeypatch.syspath_prepend(str(note.parent))
    monkeypatch.syspath_prepend(str(EXAMPLE))
    plugins._types.cache_clear()
    yield
    plugins._types.cache_clear()
    for name in [name for name in sys.modules if name.startswith("file_driver")]:
        del sys.modules[name]


@pytest.fixture
async def service(tmp_path: Path, installed: None) -> AsyncIterator[EdgeService]:
    made = EdgeService(tmp_path / "edge", backoff_s=(0.05, 0.2))
    await made.open()
    yield made
    await made.close()


async def test_values_come_out_of_files(service: EdgeService, tmp_path: Path) -> None:
    folder = tmp_path / "sensors"
    folder.mkdir()
    (folder / "temperature").write_text("21500\n")
    (folder / "broken").write_text("warm\n")
    await service.nodes.add("files", "File", {"folder": str(folder)})
    await service.groups.add("files", "all", 100)
    scaled = Tag(
        name="temperature",
        type=TagType.INT64,
        address="temperature",
        decimal=0.001,
        attribute=Attribute.READ | Attribute.WRITE,
    )
    broken = Tag(name="broken", type=TagType.INT64, address="broken")
    await service.tags.add("files", "all", [scaled, broken])

    async with asyncio.timeout(DEADLINE_S), service.values.follow("files", "all") as reports:
        async for report in reports:
            if report.values:
                break
    await service.values.write("files", "all", "temperature", 19.5)
    with pytest.raises(EdgeError) as caught:
        await service.tags.add(
            "files", "all", [Tag(name="x", type=TagType.INT64, address="../secret")]
        )

    assert report.values == {"temperature": 21.5}
    assert report.errors == {"broken": 3009}
    assert (folder / "temperature").read_text() == "19500\n"
    assert caught.value.number == 2205
    assert "File" in [plugin.name for plugin in service.plugins.list()]
