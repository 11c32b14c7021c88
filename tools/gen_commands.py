"""Writes the reference of the command line, in both languages, from its parsers.

``--check`` writes nothing and fails when a page is not what the parsers say.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rookery.cli.ctl.elsewhere import ELSEWHERE
from rookery.cli.main import parser

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
# Explained once at the top instead of with every command.
COMMON = {"--help", "--config", "--data-dir", "--url", "--api-key", "--ca-file", "--json"}


@dataclass(frozen=True)
class Texts:
    """What the page says in one language."""

    file: str
    head: str
    columns: tuple[str, str]
    elsewhere: str
    elsewhere_columns: tuple[str, str]


ENGLISH = Texts(
    file="command-line.md",
    head="""# Commands

[中文](command-line.zh.md)

Every command of `rookery`, generated from the code. The guide [Command line](../guides/command-line.md)
says how commands find their node, what their exit codes mean and which command of EMQX is which here.
`--help` says the same on the terminal.

Most commands take `--config FILE` and `--data-dir DIR` (which node is meant) and `--json`; those below
`rookery ctl` also `--url URL`, `--api-key KEY:SECRET` and `--ca-file FILE`. They are not repeated below.
""",
    columns=("argument", "meaning"),
    elsewhere="""## Words of `emqx ctl` that are not here

`rookery ctl` answers each of them with what to use instead.
""",
    elsewhere_columns=("`emqx ctl`", "here"),
)
CHINESE = Texts(
    file="command-line.zh.md",
    head="""# 命令

[English](command-line.md)

`rookery` 的全部命令，由代码生成。[命令行](../guides/command-line.zh.md)一文说明命令如何找到节点、退出码的含义，以及与 EMQX
命令的对应关系。在终端上可用 `--help` 查看同样的内容。

多数命令接受 `--config FILE`、`--data-dir DIR`（指定节点）与 `--json`；`rookery ctl` 下的命令还接受 `--url URL`、
`--api-key KEY:SECRET` 与 `--ca-file FILE`。下文不再重复。
""",
    columns=("参数", "含义"),
    elsewhere="""## 没有的 `emqx ctl` 命令

`rookery ctl` 会对其中每一个提示应使用的命令。
""",
    elsewhere_columns=("`emqx ctl`", "在此"),
)


def main() -> int:
    """Write both pages, or say which one is out of date."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    is_check = arguments.parse_args().check
    stale = []
    for texts, language in ((ENGLISH, "en"), (CHINESE, "zh")):
        os.environ["ROOKERY_LANG"] = language
        path = FOLDER / texts.file
        commands = "".join(sections(parser(), texts, ("rookery",)))
        page = texts.head + commands + "".join(elsewhere(texts, language))
        if not is_check:
            path.write_text(page, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            stale.append(path.name)
    if stale:
        print(f"{', '.join(stale)}: run tools/gen_commands.py")
    return 1 if stale else 0


def elsewhere(texts: Texts, language: str) -> Iterator[str]:
    """Words of EMQX's command line that are not here."""
    yield f"\n{texts.elsewhere}\n| {' | '.join(texts.elsewhere_columns)} |\n|---|---|\n"
    for words, instead in ELSEWHERE.items():
        yield f"| `{words}` | {instead.text(language)} |\n"


def sections(
    command: argparse.ArgumentParser, texts: Texts, path: tuple[str, ...]
) -> Iterator[str]:
    """A section for each command; those that only hold others are headings."""
    actions = command._actions  # noqa: SLF001  # argparse has no other way to ask
    groups = [a for a in actions if isinstance(a, argparse._SubParsersAction)]  # noqa: SLF001
    if len(path) == 2:
        yield f"\n## {' '.join(path)}\n\n{sentence(command)}\n"
    if not groups:
        yield from one(command, texts, path)
    for group in groups:
        for name, below in group.choices.items():
            yield from sections(below, texts, (*path, name))


def one(command: argparse.ArgumentParser, texts: Texts, path: tuple[str, ...]) -> Iterator[str]:
    """What one command takes, with examples."""
    if len(path) > 2:
        yield f"\n### {' '.join(path)}\n\n{sentence(command)}\n"
    own = [
        action
        for action in command._actions  # noqa: SLF001
        if not COMMON & set(action.option_strings) and action.help != argparse.SUPPRESS
    ]
    words = " ".join([*path, *(used(action) for action in own)])
    yield f"\n```text\n{words}\n```\n"
    if own:
        yield f"\n| {' | '.join(texts.columns)} |\n|---|---|\n"
        for action in own:
            meaning = (action.help or "").replace("|", "\\|").replace("%%", "%")
            yield f"| `{named(action)}` | {meaning} |\n"
    if command.epilog:
        examples = [line.strip() for line in command.epilog.splitlines()[1:]]
        yield "\n```bash\n" + "\n".join(examples) + "\n```\n"


def sentence(command: argparse.ArgumentParser) -> str:
    """What a command does, as a sentence."""
    text = (command.description or "").rstrip(".。")
    end = "。" if any("\u4e00" <= character <= "\u9fff" for character in text) else "."
    return text[:1].upper() + text[1:] + end


def value(action: argparse.Action) -> str:
    """What stands for the value of an argument."""
    if action.nargs == 0:
        return ""
    if action.metavar is None and action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    metavar = action.metavar or action.dest.upper()
    return metavar if isinstance(metavar, str) else " ".join(metavar)


def named(action: argparse.Action) -> str:
    """An argument with its value."""
    if not action.option_strings:
        return value(action).replace("|", "\\|")
    return f"{', '.join(action.option_strings)} {value(action)}".strip()


def used(action: argparse.Action) -> str:
    """An argument as it stands in a command."""
    word = (
        f"{action.option_strings[-1]} {value(action)}".strip()
        if action.option_strings
        else value(action)
    )
    if action.nargs in ("+", "*"):
        word += " …"
    is_needed = action.required if action.option_strings else action.nargs not in ("?", "*")
    return word if is_needed else f"[{word}]"


if __name__ == "__main__":
    sys.exit(main())
