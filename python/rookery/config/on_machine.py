"""What only somebody on the machine may say: which files a node reads and writes, and whose code it runs.

A node may do more there than those who configure it over the network, whichever way their change
comes: of a part, of the whole, or in an archive. The node itself, its cluster, the keys that are there
from the first start and whether plugins are taken without a word on the machine are not theirs. Of
files they name those of rules and users where operators keep a node's files, logs in the folder of
logs, and none whose text would be sent to somebody else. The configuration file, the environment and
the command line may say all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.config import tls_files
from rookery.config.problems import Problem
from rookery.config.tls_files import is_in
from rookery.config.tree import join_path
from rookery.types import Secret
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.config.load import Config

READ_ONLY = ("node", "rpc", "cluster")
"""Roots that are not changed while the node runs, as in EMQX; of them links alone are."""

FILE_URL = "file://"
"""In front of the path of a file that holds a password."""
_CHANGED = ("cluster", "links")
_API_KEYS = ("api_key", "bootstrap_file")
_ALLOW = "plugins.install_requires_allow"
_LOG = "log.file.path"
_LOGS = "log"

_OUTSIDE = Words(
    "only the configuration file may name a file outside {folders}",
    "{folders} 之外的文件只能在配置文件中指定",
)
_OWN = Words(
    "only the configuration file, the environment and --set may say this",
    "只能在配置文件、环境变量或 --set 中设置",
)
_ALLOW_OFF = Words(
    "only the configuration file, the environment and --set may switch it off",
    "只能在配置文件、环境变量或 --set 中关闭",
)
_NO_LOG = Words(
    "only the configuration file may name a log that is not a file NAME.log in {folder}",
    "日志文件只能是 {folder} 中的 NAME.log；其他位置只能在配置文件中指定",
)
_PASSWORD = Words(
    "only the configuration file may name a file that holds a password; write the password itself",
    "保存密码的文件只能在配置文件中指定；请直接填写密码",
)


def problems(old: Config, new: Config, stored: Mapping[str, Any]) -> Iterator[Problem]:
    """What ``new`` says of that and ``old`` does not, where it may not be said.

    Args:
        old: What holds.
        new: What would.
        stored: What would be kept of changes made at run time; what is taken away is not in it.
    """
    for path in _own(stored):
        before, after = _value(old, path), _value(new, path)
        if before != after:
            # It may be a secret, or lead to one.
            yield _problem(join_path(path), "", _OWN)
    if old[_ALLOW] and not new[_ALLOW]:
        yield _problem(_ALLOW, "false", _ALLOW_OFF)
    known = {(_kind(at), file) for at, file in _files(old)}
    folders = folders_of(new)
    for at, file in _files(new):
        if (_kind(at), file) not in known:
            yield from outside(at, file, folders)
    yield from _of_log(old, new)
    yield from _of_passwords(old, new)
    yield from tls_files.problems(folders, old.effective(), new.effective())


def password_file_named(at: str, password: object) -> Iterator[Problem]:
    """A password that is to be read from a file of this machine, and sent to somebody else."""
    if isinstance(password, str) and password.startswith(FILE_URL):
        yield _problem(at, "", _PASSWORD)


def _problem(at: str, value: str, words: Words) -> Problem:
    return Problem("setting", at, value=value, reasons=words._asdict())


def _own(stored: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Paths of ``stored`` that are the machine's."""
    for root in READ_ONLY:
        yield from _leaves(stored.get(root), (root,))
    section = stored.get(_API_KEYS[0])
    if isinstance(section, Mapping) and _API_KEYS[1] in section:
        yield _API_KEYS


def _leaves(value: Any, at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if at == _CHANGED or value is None:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*at, str(key)))
    else:
        yield at


def _value(config: Config, path: tuple[str, ...]) -> Any:
    try:
        value = config[join_path(path)]
    except (KeyError, TypeError):
        return None
    return value.reveal() if isinstance(value, Secret) else value


def _of_log(old: Config, new: Config) -> Iterator[Problem]:
    file, folder = new.data_dir / new[_LOG], new.data_dir / _LOGS
    if new[_LOG] != old[_LOG] and not (file.suffix == ".log" and is_in(file, folder)):
        yield _problem(_LOG, str(new[_LOG]), _NO_LOG.format(folder=str(folder)))


def _of_passwords(old: Config, new: Config) -> Iterator[Problem]:
    known = set(_sent(old))
    for number, sent in enumerate(_sent(new), start=1):
        if sent not in known:
            yield from password_file_named(f"cluster.links.{number}.password", sent[2])


def _sent(config: Config) -> Iterator[tuple[str, str, str]]:
    """Passwords of links as they are written, with who gets them."""
    for link in config["cluster.links"]:
        password = "" if link["password"] is None else link["password"].reveal()
        yield link["name"], str(link["server"]), password


def outside(at: str, path: Path, folders: Sequence[Path]) -> Iterator[Problem]:
    """A file that is in none of the folders, and may not be named over the network."""
    if any(is_in(path, folder) for folder in folders):
        return
    yield _problem(
        at,
        str(path),
        Words(
            _OUTSIDE.en.format(folders=" and ".join(map(str, folders))),
            _OUTSIDE.zh.format(folders="、".join(map(str, folders))),
        ),
    )


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


def _kind(place: str) -> str:
    """Entries of a list change places."""
    return place.translate(str.maketrans("", "", "0123456789"))
