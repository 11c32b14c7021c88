"""From the folder of a plugin to its archive."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from rookery.errors import BadRequestError
from rookery.plugins.archive import README, SCHEMA, WHEELS, pack
from rookery.plugins.manifest import METADATA_VERSION, Manifest

SCHEMA_FILE = "settings.schema.json"
_LEFT_OUT = ("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")


def build(
    project: Path, out: Path | None = None, *, with_wheels: bool = False, suffix: str = ""
) -> Path:
    """Make ``NAME-VERSION.tar.gz`` in ``out`` (``dist/`` of the project); where it is.

    ``suffix`` stands behind the version of the project, to tell attempts apart.

    Raises:
        BadRequestError: the folder is no plugin, or something in it cannot be.
    """
    found = _project(project)
    about, tool = found["project"], found["tool"]["rookery"]["plugin"]
    manifest = _manifest({**about, "version": f"{about['version']}{suffix}"}, tool)
    source = _source_of(project, manifest.entry)
    files = {
        f"package/{path.relative_to(source).as_posix()}": path.read_bytes()
        for path in _code_of(source, manifest.entry)
    }
    for name, within in ((SCHEMA_FILE, SCHEMA), (README, README)):
        if (project / name).exists():
            files[within] = (project / name).read_bytes()
    if with_wheels and manifest.requires:
        files |= _wheels(manifest.requires)
    target = (out or project / "dist") / f"{manifest.id}.tar.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(pack(manifest, files))
    return target


def sources(project: Path) -> list[Path]:
    """The files an archive of this folder is made of, as far as they can be found."""
    own = [project / name for name in ("pyproject.toml", SCHEMA_FILE, README)]
    try:
        entry = str(_project(project)["tool"]["rookery"]["plugin"]["entry"])
        return [*own, *_code_of(_source_of(project, entry), entry)]
    except BadRequestError:
        return own


def _package_of(entry: str) -> str:
    return entry.partition(":")[0].partition(".")[0]


def _source_of(project: Path, entry: str) -> Path:
    package = _package_of(entry)
    for folder in (project / "src", project):
        if (folder / package).is_dir():
            return folder
    raise BadRequestError(f"{project}: there is no package {package!r}")


def _code_of(source: Path, entry: str) -> list[Path]:
    return [
        path
        for path in sorted((source / _package_of(entry)).rglob("*"))
        if path.is_file() and not path.is_symlink() and not set(path.parts) & set(_LEFT_OUT)
    ]


def _project(project: Path) -> dict[str, Any]:
    file = project / "pyproject.toml"
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadRequestError(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise BadRequestError(f"{file}: {error}") from None
    try:
        found["project"]["name"], found["project"]["version"]
        found["tool"]["rookery"]["plugin"]["entry"]
    except (KeyError, TypeError) as error:
        raise BadRequestError(
            f"{file}: project.name, project.version or tool.rookery.plugin.entry is absent ({error})"
        ) from None
    return found


def _manifest(about: dict[str, Any], tool: dict[str, Any]) -> Manifest:
    run = {key: value for key, value in tool.items() if key not in ("entry", "hookpoints")}
    return Manifest.from_json(
        {
            "metadata_vsn": METADATA_VERSION,
            "name": str(about["name"]).replace("-", "_"),
            "rel_vsn": about["version"],
            "entry": tool["entry"],
            "description": about.get("description", ""),
            "author": [author.get("name", "") for author in about.get("authors", [])],
            "requires": about.get("dependencies", []),
            "hookpoints": tool.get("hookpoints", []),
            "rookery": _version(),
            "run": run,
        }
    )


def _version() -> str:
    from rookery.native.node import version  # noqa: PLC0415

    return version()


def _wheels(requires: tuple[str, ...]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "wheel", "-q"]
        run = subprocess.run(
            [*command, "-w", folder, "--", *requires], capture_output=True, text=True, check=False
        )
        if run.returncode != 0:
            raise BadRequestError(run.stderr.strip() or "pip wheel failed")
        return {f"{WHEELS}/{path.name}": path.read_bytes() for path in Path(folder).glob("*.whl")}


def new(name: str, parent: Path) -> Path:
    """Make the files of a new plugin; its folder.

    Raises:
        BadRequestError: the name is none, or the folder is there.
    """
    from rookery.plugins.manifest import NAME  # noqa: PLC0415

    if not NAME.fullmatch(name):
        raise BadRequestError(f"{name!r}: a name is {NAME.pattern}")
    folder = parent / name
    if folder.exists():
        raise BadRequestError(f"{folder} is there already")
    class_name = "".join(part.capitalize() for part in name.split("_"))
    template = Path(__file__).parent / "template"
    for source in sorted(path for path in template.rglob("*.in") if path.is_file()):
        within = source.relative_to(template).as_posix().removesuffix(".in")
        target = folder / within.replace("NAME", name).replace("gitignore", ".gitignore")
        text = source.read_text(encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("CLASS", class_name).replace("NAME", name), encoding="utf-8")
    return folder
