"""Servers of others that the tests run and no Debian package has: jars from Maven Central.

What is fetched stands in a file ``<name>.jars`` beside this one: a line for each artifact, its
SHA-256 and its coordinates ``group:artifact[:type[:classifier]]:version``. Nothing else is
fetched, whatever the artifacts themselves ask for, and a file that is not the one named there is
refused. They are kept in the user's cache directory, one folder for each content of the list;
``tools/setup.sh test`` fetches all lists by running this module.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
FETCH_S = 600.0
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>rookery.tests</groupId><artifactId>{name}</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
_DEPENDENCY = """    <dependency>
      <groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>
      <type>{type}</type>{classifier}
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>"""


@dataclass(frozen=True)
class Artifact:
    """One file, by what it is called and what it is."""

    sha256: str
    group: str
    artifact: str
    type: str
    classifier: str
    version: str

    @classmethod
    def parse(cls, line: str) -> Artifact:
        sha256, coordinates = line.split()
        group, artifact, *middle, version = coordinates.split(":")
        kind, classifier = [*middle, *("jar", "")[len(middle) :]]
        return cls(sha256, group, artifact, kind, classifier, version)

    @property
    def file_name(self) -> str:
        suffix = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{suffix}.{self.type}"

    def element(self) -> str:
        return _DEPENDENCY.format(
            group=escape(self.group),
            artifact=escape(self.artifact),
            version=escape(self.version),
            type=escape(self.type),
            classifier=f"<classifier>{escape(self.classifier)}</classifier>"
            if self.classifier
            else "",
        )


def names() -> list[str]:
    """What can be fetched."""
    return sorted(file.stem for file in HERE.glob("*.jars"))


def fetched(name: str) -> Path:
    """The folder that holds all files of ``<name>.jars``; fetches them when it is not there.

    Raises:
        RuntimeError: they cannot be fetched, or one is not what the list says.
    """
    text = (HERE / f"{name}.jars").read_bytes()
    folder = _cache() / f"{name}-{hashlib.sha256(text).hexdigest()[:16]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes at once: the second finds all done
        if not folder.is_dir():
            _fetch(name, _artifacts(text.decode()), folder)
    return folder


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("ROOKERY_TEST_CACHE") or Path(home) / "rookery-tests")


def _artifacts(text: str) -> list[Artifact]:
    lines = (line.strip() for line in text.splitlines())
    return [Artifact.parse(line) for line in lines if line and not line.startswith("#")]


def _fetch(name: str, artifacts: list[Artifact], folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise RuntimeError("mvn is missing; Debian: apt-get install maven")
    made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder.parent))
    try:
        dependencies = "\n".join(artifact.element() for artifact in artifacts)
        (made / "pom.xml").write_text(_POM.format(name=name, dependencies=dependencies))
        command = [maven, "-B", "-q", "-f", str(made / "pom.xml"), _PLUGIN]
        done = subprocess.run(
            [*command, "-DoutputDirectory=" + str(made / "files")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_S,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name} could not be fetched:\n{done.stdout}{done.stderr}")
        for artifact in artifacts:
            _check(made / "files" / artifact.file_name, artifact.sha256)
        (made / "files").rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _check(file: Path, sha256: str) -> None:
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise RuntimeError(f"{file.name} is not what its list says: SHA-256 {found}")


def main() -> None:
    for name in sys.argv[1:] or names():
        print(fetched(name))


if __name__ == "__main__":
    main()
