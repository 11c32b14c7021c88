"""What only somebody on the machine may say: which files a node reads and writes, and whose code it runs.

A node may do more there than those who configure it over the network. What they name is read and
written only where operators keep a node's files, and whether plugins are taken without a word on the
machine they do not decide. The configuration file, the environment and the command line may say it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.config import tls_files
from rookery.config.problems import Problem
from rookery.config.tls_files import is_in

if TYPE_CHECKING:
    from rookery.config.load import Config

_EN = "only the configuration file may name a file outside {folders}"
_ZH = "{folders} 之外的文件只能在配置文件中指定"
_ALLOW = "plugins.install_requires_allow"
_ALLOW_EN = "only the configuration file, the environment and --set may switch it off"
_ALLOW_ZH = "只能在配置文件、环境变量或 --set 中关闭"
_PROGRAM = "cluster.nats.path"
_PROGRAM_EN = "only the configuration file, the environment and --set may say which program is run"
_PROGRAM_ZH = "只能在配置文件、环境变量或 --set 中指定要运行的程序"


def problems(old: Config, new: Config) -> Iterator[Problem]:
    """What ``new`` says of that and ``old`` does not, where it may not be said."""
    known = {(_kind(at), path) for at, path in _files(old)}
    folders = folders_of(new)
    for at, path in _files(new):
        if (_kind(at), path) not in known:
            yield from outside(at, path, folders)
    if old[_ALLOW] and not new[_ALLOW]:
        yield Problem("setting", _ALLOW, value="false", reasons={"en": _ALLOW_EN, "zh": _ALLOW_ZH})
    if old[_PROGRAM] != new[_PROGRAM]:
        reasons = {"en": _PROGRAM_EN, "zh": _PROGRAM_ZH}
        yield Problem("setting", _PROGRAM, value=new[_PROGRAM], reasons=reasons)
    yield from tls_files.problems(folders, old.effective(), new.effective())


def outside(at: str, path: Path, folders: Sequence[Path]) -> Iterator[Problem]:
    """A file that is in none of the folders, and may not be named over the network."""
    if any(is_in(path, folder) for folder in folders):
        return
    reasons = {
        "en": _EN.format(folders=" and ".join(map(str, folders))),
        "zh": _ZH.format(folders="、".join(map(str, folders))),
    }
    yield Problem("setting", at, value=str(path), reasons=reasons)


def folders_of(config: Config) -> list[Path]:
    """Where operators keep a node's files."""
    folders = [config.data_dir]
    if config.config_file is not None:
        folders.append(config.config_file.absolute().parent)
    return folders


def _files(config: Config) -> Iterator[tuple[str, Path]]:
    for number, entry in enumerate(config["authorization.sources"], start=1):
        if entry["type"] == "file" and entry["path"]:
            yield f"authorization.sources.{number}.path", Path(entry["path"])
    for number, entry in enumerate(config["authentication"], start=1):
        if entry.get("bootstrap_file"):
            yield f"authentication.{number}.bootstrap_file", Path(entry["bootstrap_file"])
    for number, link in enumerate(config["cluster.links"], start=1):
        password = "" if link["password"] is None else link["password"].reveal()
        if password.startswith("file://"):
            yield f"cluster.links.{number}.password", Path(password[len("file://") :])
    if config["api_key.bootstrap_file"]:
        yield "api_key.bootstrap_file", Path(config["api_key.bootstrap_file"])
    yield "log.file.path", config.data_dir / config["log.file.path"]


def _kind(place: str) -> str:
    """Entries of a list change places."""
    return place.translate(str.maketrans("", "", "0123456789"))
