"""Types ``rookery ctl`` commands, as an operator does."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rookery.cli.main import run


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def table(self) -> list[list[str]]:
        """Words of each row below the head."""
        return [line.split() for line in self.out.splitlines()[1:]]

    @property
    def members(self) -> dict[str, str]:
        """What :func:`show_members` printed."""
        pairs = (line.partition(" ") for line in self.out.splitlines())
        return {name: value.strip() for name, _, value in pairs}


class Ctl:
    """Commands for one node: that of a data directory, or what ``options`` name.

    They run in this process, for starting Python takes longer than most of them; the node is
    another one.
    """

    def __init__(
        self, data_dir: Path | None, *options: str, environ: Mapping[str, str] | None = None
    ) -> None:
        place = () if data_dir is None else ("--data-dir", str(data_dir))
        self._options = (*place, *options)
        self._environ = {"ROOKERY_LANG": "en", **(environ or {})}

    def __call__(self, *words: str, text: str = "") -> Said:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            for name, value in self._environ.items():
                patch.setenv(name, value)
            try:
                code = run(["ctl", *words, *self._options])
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Said(code, *(_written(stream) for stream in (out, err)))

    def good(self, *words: str, text: str = "") -> Said:
        """The same, and it has to end well."""
        said = self(*words, text=text)
        assert said.code == 0, said
        return said

    def json(self, *words: str) -> Any:
        return self.good(*words, "--json").json


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
