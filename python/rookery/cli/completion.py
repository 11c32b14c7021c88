"""``rookery completion``: scripts that let a shell complete commands and options.

Made from the parsers themselves, so they know whatever the commands know.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.parsers import add_command

EXAMPLES = """\
  source <(rookery completion bash)
  rookery completion zsh > ~/.zfunc/_rookery
  rookery completion fish > ~/.config/fish/completions/rookery.fish"""

Entry = tuple[tuple[str, ...], list[str]]


def declare(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "completion", "help.completion", _completion, examples=EXAMPLES)
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help=say("option.shell"))


def _completion(arguments: argparse.Namespace) -> int:
    from rookery.cli.main import parser  # noqa: PLC0415

    entries = list(words(parser()))
    output.line({"bash": bash, "zsh": zsh, "fish": fish}[arguments.shell](entries))
    return output.OK


def words(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Every command with what may follow it."""
    found: list[str] = []
    commands: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            commands.update(action.choices)
            found.extend(action.choices)
        elif action.option_strings:
            found.extend(option for option in action.option_strings if option.startswith("--"))
        elif action.choices:
            found.extend(str(choice) for choice in action.choices)
    yield path, found
    for name, command in commands.items():
        yield from words(command, (*path, name))


def _cases(entries: list[Entry]) -> str:
    rows = (f'        "{" ".join(path)}") words="{" ".join(found)}" ;;' for path, found in entries)
    return "\n".join(rows)


def bash(entries: list[Entry]) -> str:
    """For bash."""
    return f"""_rookery() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" path="" words="" index word
    for ((index = 1; index < COMP_CWORD; index++)); do
        word="${{COMP_WORDS[index]}}"
        [[ $word == -* ]] && break
        path="${{path:+$path }}$word"
    done
    case "$path" in
{_cases(entries)}
    esac
    if [[ -n $words ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    else
        COMPREPLY=($(compgen -f -- "$current"))
    fi
}}
complete -o default -F _rookery rookery"""


def zsh(entries: list[Entry]) -> str:
    """For zsh, on top of its bash completion."""
    return f"#compdef rookery\nautoload -U +X bashcompinit && bashcompinit\n{bash(entries)}"


def fish(entries: list[Entry]) -> str:
    """For fish."""
    lines = ["complete -c rookery -f"]
    for path, found in entries:
        seen = " ".join(path)
        condition = (
            f"test (string join ' ' (commandline -opc | string match -v -- '-*')[2..-1]) = '{seen}'"
            if path
            else "__fish_use_subcommand"
        )
        lines.extend(
            f'complete -c rookery -n "{condition}" '
            + (f"-l {word[2:]}" if word.startswith("--") else f"-a {word}")
            for word in found
        )
    return "\n".join(lines)
