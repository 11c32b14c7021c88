"""Makes ``rookery-agent.pyz``: the agent and paho-mqtt in one file for any Python from 3.9 on.

    python -m rookery.agent.bundle FILE

The same sources give the same bytes, on every machine: names in order, one date, nothing
compressed (versions of zlib compress differently). The control plane makes it when it starts, and
`make dist` puts it beside the wheel. Licences of what is carried along are in the file.

This module is not carried itself.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from rookery.agent.places import write_whole
from rookery.agent.version import VERSION_FILE, own_version

FILE_NAME = "rookery-agent.pyz"
SHEBANG = b"#!/usr/bin/env python3\n"
PACKAGE = Path(__file__).resolve().parents[1]
# What of the package the agent is made of.
MODULES = ("__init__.py", "errors.py", "clock.py")
FOLDERS = ("contracts", "agent")
LEFT_OUT = ("agent/bundle.py", "agent/__main__.py")
# The first moment that a ZIP file can name.
_DATE = (1980, 1, 1, 0, 0, 0)
_MAIN = b"""\
import sys

if sys.version_info < (3, 9):
    sys.exit("rookery-agent needs Python 3.9 or newer, this is " + sys.version.split()[0])

from rookery.agent.command import main

sys.exit(main())
"""


def build() -> bytes:
    """The file.

    Raises:
        FileNotFoundError: this package or paho-mqtt is not installed with its files.
    """
    contents = dict(_contents())
    buffer = io.BytesIO()
    buffer.write(SHEBANG)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, _DATE)
            # Made on Unix, a plain file: the default is what this machine is.
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, contents[name])
    return buffer.getvalue()


def write(path: Path) -> None:
    """Write the file, executable."""
    write_whole(path, build(), 0o755)


def install_script() -> str:
    """The script that downloads and installs it."""
    return (Path(__file__).parent / "install.sh").read_text(encoding="utf-8")


def _contents() -> Iterator[tuple[str, bytes]]:
    yield "__main__.py", _MAIN
    yield f"rookery/agent/{VERSION_FILE}", f"{own_version()}\n".encode("ascii")
    names = [*MODULES]
    for folder in FOLDERS:
        names.extend(str(path.relative_to(PACKAGE)) for path in (PACKAGE / folder).glob("**/*.py"))
    for name in names:
        if name not in LEFT_OUT:
            yield f"rookery/{name}", (PACKAGE / name).read_bytes()
    yield "licenses/rookery/LICENSE", _license()
    yield from _paho()


def _license() -> bytes:
    """Our own: beside the sources, or where installing put it."""
    if PACKAGE.parent.name == "python":
        return (PACKAGE.parents[1] / "LICENSE").read_bytes()
    for file in metadata.distribution("rookery").files or ():
        if file.name == "LICENSE" and file.parts[0].endswith(".dist-info"):
            return Path(str(file.locate())).read_bytes()
    raise FileNotFoundError("the licence of this package")


def _paho() -> Iterator[tuple[str, bytes]]:
    distribution = metadata.distribution("paho-mqtt")
    files = distribution.files
    if files is None:
        raise FileNotFoundError("paho-mqtt: the list of its files")
    for file in files:
        parts = file.parts
        is_license = parts[0].endswith(".dist-info") and "licenses" in parts
        if parts[0] == "paho" and file.suffix in (".py", ".typed"):
            name = "/".join(parts)
        elif is_license or (parts[0].endswith(".dist-info") and "LICENSE" in parts[-1].upper()):
            name = f"licenses/paho-mqtt/{parts[-1]}"
        else:
            continue
        yield name, Path(str(distribution.locate_file(file))).read_bytes()


def main() -> int:
    """Write the file that the command line names."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else FILE_NAME).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
