"""``rookery config import``: files of EMQX 3, 4 and 5 as one of Rookery's."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.messages import language, say
from rookery.errors import StartError

if TYPE_CHECKING:
    from rookery.config.importing import Entry, Imported

EXAMPLES = """\
  rookery config import /etc/emqx/emqx.conf /etc/emqx/acl.conf -o rookery.conf
  rookery config import /etc/emqx -o rookery.conf
  rookery config import emqx.conf plugins/emqx_auth_http.conf --json"""

SHOWN_VALUE_MAX = 60
# Passwords of users and services stand in these files.
MODE = 0o600


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help=say("option.import"))
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("rookery.conf"),
        help=say("option.import.output"),
    )
    parser.add_argument("--force", action="store_true", help=say("option.force"))
    parser.add_argument("--json", action="store_true", help=say("option.json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Import, write, check what was written, report."""
    from rookery.config.importing import import_files  # noqa: PLC0415

    target: Path = arguments.output
    imported = import_files(arguments.files, _count_rules)
    written = _texts(imported, arguments.files, target)
    present = [path for path in written if path.exists()]
    if present and not arguments.force:
        for path in present:
            output.complain(say("config.exists", file=path))
        return output.FAILED
    for path, text in written.items():
        _write(path, text)
    problems = _problems_of(target)
    if arguments.json:
        output.show_json(_report(imported, list(written), problems))
    else:
        _show(imported, list(written), problems)
    return output.FAILED if problems else output.OK


def _count_rules(text: str, file: str) -> int:
    from rookery.access import acl_file  # noqa: PLC0415

    return len(acl_file.parse(text, file=file))


def _texts(imported: Imported, files: Sequence[Path], target: Path) -> dict[Path, str]:
    """Every file that will be written; a rules file that lies there already stays."""
    from rookery.config.importing import ACL_FILE, USERS_FILE  # noqa: PLC0415

    heading = [say("import.heading", files=", ".join(str(file) for file in files)), ""]
    heading += [*_not_written(imported), *(r.words.text(language()) for r in imported.remarks)]
    written = {target: imported.text(heading, _comments(imported))}
    rules = target.parent / ACL_FILE
    if imported.acl is not None and imported.acl_source is not None:
        is_there = rules.exists() and rules.samefile(imported.acl_source)
        if not is_there:
            written[rules] = imported.acl
    if imported.users:
        users = json.dumps(list(imported.users), indent=2, ensure_ascii=False) + "\n"
        written[target.parent / USERS_FILE] = users
    return written


def _comments(imported: Imported) -> dict[tuple[str, ...], list[str]]:
    comments: dict[tuple[str, ...], list[str]] = {}
    for entry in imported.entries:
        if entry.paths and entry.notes:
            notes = "; ".join(note.text(language()) for note in entry.notes)
            place = f"{entry.setting.file.name}:{entry.setting.line}"
            at = comments.setdefault(entry.paths[0], [])
            at.append(f"{place} {_shown(entry)}: {notes}")
    return comments


def _not_written(imported: Imported) -> list[str]:
    from rookery.config.importing import Outcome  # noqa: PLC0415

    lines = []
    for entry in imported.entries:
        if entry.outcome in (Outcome.UNSUPPORTED, Outcome.UNKNOWN):
            place = f"{entry.setting.file.name}:{entry.setting.line}"
            word = say(f"import.{entry.outcome.value}.one")
            lines.append(f"{word}: {place} {_shown(entry)}{_notes(entry)}")
    return [*lines, ""] if lines else []


def _notes(entry: Entry) -> str:
    notes = "; ".join(note.text(language()) for note in entry.notes)
    return f" ({notes})" if notes else ""


def _write(path: Path, text: str) -> None:
    """All or nothing, readable by its owner only."""
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StartError(f"{path}: {error.strerror or error}") from error


def _problems_of(target: Path) -> list[str]:
    """What ``rookery node check-config`` says about the new file."""
    from rookery import config  # noqa: PLC0415

    try:
        config.load(config_file=target, environ={})
    except config.InvalidConfigError as error:
        return [problem.text(language()) for problem in error.details]
    return []


# -- the report -------------------------------------------------------------------------


def _shown(entry: Entry) -> str:
    """The old line, without what nobody should see."""
    setting = entry.setting
    if not setting.value:
        return setting.key
    return f"{setting.key} = {setting.shown}"


def _result(entry: Entry) -> Any:
    from rookery.config.secrets import HIDDEN, url_without_secrets  # noqa: PLC0415

    if entry.setting.is_secret:
        return HIDDEN
    return url_without_secrets(entry.value) if isinstance(entry.value, str) else entry.value


def _report(imported: Imported, written: list[Path], problems: list[str]) -> dict[str, Any]:
    from rookery.config.importing import Outcome  # noqa: PLC0415
    from rookery.config.tree import join_path  # noqa: PLC0415

    return {
        "written": [str(path) for path in written],
        "problems": problems,
        "counts": {
            outcome.value: sum(entry.outcome is outcome for entry in imported.entries)
            for outcome in Outcome
        },
        "remarks": [remark.words.text(language()) for remark in imported.remarks],
        "lines": [
            {
                "file": str(entry.setting.file),
                "line": entry.setting.line,
                "key": entry.setting.key,
                "value": entry.setting.shown,
                "outcome": entry.outcome.value,
                "paths": [join_path(path) for path in entry.paths],
                "result": _result(entry) if entry.paths else None,
                "notes": [note.text(language()) for note in entry.notes],
            }
            for entry in imported.entries
        ],
    }


def _show(imported: Imported, written: list[Path], problems: list[str]) -> None:
    from rookery.config.importing import Outcome  # noqa: PLC0415

    for outcome in Outcome:
        entries = [entry for entry in imported.entries if entry.outcome is outcome]
        if not entries:
            continue
        output.line(say(f"import.{outcome.value}", count=len(entries)))
        output.show_table([_row(entry) for entry in entries])
        output.line("")
    if imported.remarks:
        output.line(say("import.remarks"))
        for remark in imported.remarks:
            output.line(f"  {remark.words.text(language())}")
        output.line("")
    for path in written:
        output.line(say("config.written", file=path))
    if problems:
        output.complain(say("config.bad"))
        for problem in problems:
            output.complain(f"  {problem}")


def _row(entry: Entry) -> tuple[str, ...]:
    from rookery.config.tree import join_path  # noqa: PLC0415

    place = f"  {entry.setting.file.name}:{entry.setting.line}"
    old = _short(_shown(entry))
    notes = "; ".join(note.text(language()) for note in entry.notes)
    new = join_path(entry.paths[0]) if entry.paths else ""
    if entry.paths and not isinstance(entry.value, (dict, list)) and entry.value is not None:
        result = _result(entry)
        text = result if isinstance(result, str) else json.dumps(result)
        new = _short(f"{new} = {text}")
    return (place, old, f"-> {new}" if new else "", notes)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_VALUE_MAX else text[: SHOWN_VALUE_MAX - 1] + "…"
