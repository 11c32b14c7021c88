"""What the command line prints and with which code it ends, without a running node."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from rookery.cli import bench, output
from rookery.cli.completion import words
from rookery.cli.ctl import complete
from rookery.cli.ctl.elsewhere import ELSEWHERE
from rookery.cli.main import parser
from rookery.cli.main import run as main
from rookery.cli.messages import say
from rookery.cli.node import stop_process
from rookery.cli.parsers import Whole
from rookery.cli.sub import for_terminal
from rookery.client.management import ManagementClient
from rookery.config import load
from rookery.errors import PortInUseError, TimedOutError, UnavailableError


def numeric_options(path: tuple[str, ...]) -> list[str]:
    """The options of a command that take a number, but not those that name each choice."""
    found = parser()
    for name in path:
        (commands,) = [a for a in found._actions if isinstance(a, argparse._SubParsersAction)]
        found = commands.choices[name]
    return [
        action.option_strings[-1]
        for action in found._actions
        if action.option_strings and (isinstance(action.type, Whole) or action.type in (int, float))
        if not action.choices
    ]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ROOKERY_LANG", "en")
    monkeypatch.setenv("ROOKERY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("ROOKERY_CONFIG", raising=False)


def test_every_command_has_help_in_both_languages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for language in ("en", "zh"):
        monkeypatch.setenv("ROOKERY_LANG", language)
        for path, _ in words(parser()):
            with pytest.raises(SystemExit) as ended:
                main([*path, "--help"])
            assert ended.value.code == 0, path
            shown = capsys.readouterr().out
            assert say("usage.usage") + "rookery" in shown
            assert say("usage.options") + ":" in shown


@pytest.mark.parametrize("arguments", [[], ["node"], ["config"]])
def test_an_unfinished_command_shows_its_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == output.USAGE
    assert "COMMAND" in capsys.readouterr().out


def test_an_unknown_option_ends_with_the_usage_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["node", "start", "--nonsense"])
    assert ended.value.code == output.USAGE
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize("place", [["--data-dir", "{}"], ["--data-dir={}"], ["-d", "{}", "--json"]])
def test_the_node_may_be_named_before_the_noun(
    place: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = [word.format(tmp_path) for word in place]
    told = []
    for rest in (["clients", "show", "x"], ["listeners"]):
        for words_ in (["ctl", *named, *rest], ["ctl", *rest, *named]):
            assert main(words_) == output.NOT_RUNNING
            told.append(capsys.readouterr().err)
    assert len(set(told)) == 1, "one of them asked another node"
    assert str(tmp_path) in told[0]


def test_a_place_without_a_noun_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ctl", "--data-dir", "somewhere"]) == output.USAGE
    assert "NOUN" in capsys.readouterr().out


def test_words_behind_two_dashes_are_no_options() -> None:
    given = ["ctl", "--json", "publish", "--", "t", "--data-dir"]
    assert complete(given) == ["ctl", "publish", "--json", "--", "t", "--data-dir"]


def test_the_version_names_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == output.OK
    assert capsys.readouterr().out.startswith("rookery ")


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        (["node", "start", "--nonsense"], "unknown arguments: --nonsense", "未知参数：--nonsense"),
        (["nonsense"], 'command: "nonsense" is not one of up, node', '命令："nonsense" 不是以下之一：'),
        (["pub", "-m", "x"], "missing: -t/--topic", "缺少参数：-t/--topic"),
        (["pub", "-t", "a"], "one of -m/--message -f/--file", "需要 -m/--message -f/--file"),
        (["pub", "-t", "a", "-m", "x", "-n"], "exclude each other", "不能同时使用"),
        (["pub", "-t"], "-t/--topic needs a value", "-t/--topic 需要一个值"),
        (["pub", "-t", "a", "-n", "-q", "3"], "-q/--qos: 3 is not one of 0, 1, 2",
         "-q/--qos：3 不是以下之一：0, 1, 2"),
        (["pub", "-t", "a", "-n", "-q", "x"], '-q/--qos: "x" is not allowed', '不允许的值 "x"'),
        (["pub", "-t", "a", "-n", "--retain=x"], '--retain takes no value: "x"', "不接受值"),
        (["completion", "csh"], '"csh" is not one of bash, zsh, fish', '"csh" 不是以下之一：bash'),
    ],
)  # fmt: skip
def test_an_error_of_arguments_is_one_line_in_the_language_of_the_user(
    arguments: list[str],
    english: str,
    chinese: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for language, text in (("en", english), ("zh", chinese)):
        monkeypatch.setenv("ROOKERY_LANG", language)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == output.USAGE
        (line,) = capsys.readouterr().err.splitlines()
        assert text in line
        assert "--help" in line


NUMBERS = [
    (command, option)
    for path, command in (
        (("pub",), ["pub", "-t", "a", "-n"]),
        (("sub",), ["sub", "-t", "a"]),
        (("bench",), ["bench"]),
        (("node", "stop"), ["node", "stop"]),
    )
    for option in numeric_options(path)
]


@pytest.mark.parametrize(("command", "option"), NUMBERS, ids=lambda part: str(part[0:]))
@pytest.mark.parametrize("value", ["-1", "1e300", "99999999999999999999", "nan", "inf", "x", ""])
def test_every_number_has_bounds_that_an_error_names(
    command: list[str], option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, f"{option}={value}"])
    assert ended.value.code == output.USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert option in line
    assert value in line


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["pub", "-t", "a", "-n", "-p", "99999"],
         "rookery pub: -p/--port: 99999 is not a whole number from 1 to 65,535"),
        (["sub", "-t", "a", "-p", "0"],
         "rookery sub: -p/--port: 0 is not a whole number from 1 to 65,535"),
        (["bench", "--publishers", "-1"],
         "rookery bench: --publishers: -1 is not a whole number from 0 to 16,777,216"),
        (["bench", "--payload-bytes", "15"],
         "rookery bench: --payload-bytes: 15 is not a whole number from 16 to 268,000,000"),
        (["pub", "-t", "a", "-n", "--interval", "-0.5"],
         "rookery pub: --interval: -0.5 is not a number from 0 to 31,536,000"),
    ],
)  # fmt: skip
def test_a_number_out_of_bounds_says_what_is_allowed(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert capsys.readouterr().err == f"{text} (help: rookery {arguments[0]} --help)\n"


# -- configuration ------------------------------------------------------------------------


def test_a_good_configuration_is_said_to_be_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.conf"
    file.write_text("mqtt.max_inflight = 5\nlicense.key = x")
    assert main(["node", "check-config", "--config", str(file)]) == output.OK
    printed = capsys.readouterr()
    assert str(file) in printed.out
    assert f"{file}:2: license.key: accepted without effect" in printed.err


def test_an_included_file_that_is_missing_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.conf"
    file.write_text('mqtt.max_inflight = 5\ninclude "more.conf"')
    assert main(["node", "check-config", "--config", str(file)]) == output.OK
    told = capsys.readouterr().err
    assert told.count("more.conf: there is no such file") == 1
    assert f"{file}:2: {tmp_path}/more.conf" in told


def test_a_bad_configuration_lists_every_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.conf"
    file.write_text("mqtt.max_inflight = 0\nmqtt.nonsense = 1")
    assert main(["node", "check-config", "--config", str(file)]) == output.FAILED
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "the configuration cannot be used:"
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'authentication = {mechanism = jwt, algorithm = hmac-based, secret = x, verify_claims {x = "${y}"}}',
            "authentication.1: verify_claims.x: ${y} is not known here",
        ),
        (
            'authorization.sources = [{type = redis, server = r, cmd = "HGETALL ${password}"}]',
            "authorization.sources.1: cmd: ${password} is not known here",
        ),
        ('authorization.sources = [{type = file, path = "bad.conf"}]', "bad.conf:1:"),
    ],
)
def test_what_the_start_would_refuse_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    file = tmp_path / "r.conf"
    file.write_text(text)
    (tmp_path / "bad.conf").write_text("{allow, nobody}.")
    assert main(["node", "check-config", "--config", str(file)]) == output.FAILED
    assert problem in capsys.readouterr().err


def test_what_parts_of_the_node_find_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.conf"
    file.write_text("""\
mqtt.nonsense = 1
authorization.sources = [{type = redis, server = r, cmd = "HGETALL ${password}"}, {type = file, path = "bad.conf"}]
connectors.http.h.url = "ftp://h"
""")
    (tmp_path / "bad.conf").write_text("{allow, nobody}.")
    assert main(["node", "check-config", "--config", str(file)]) == output.FAILED
    lines = capsys.readouterr().err.splitlines()[1:]
    assert [line.strip().split(": ")[:2] for line in lines] == [
        [f"{file}:1", "mqtt.nonsense"],
        [f"{file}:2", "authorization.sources.1"],
        [f"{file}:2", "authorization.sources.2.path"],
        [f"{file}:3", "connectors.http.h.url"],
    ]


def test_problems_are_told_in_chinese(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROOKERY_LANG", "zh")
    assert main(["node", "check-config", "--set", "mqtt.nonsense=1"]) == output.FAILED
    assert "未知配置项" in capsys.readouterr().err


def test_the_origin_of_every_value_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["node", "config", "--origin", "--set", "mqtt.max_inflight=7"]
    assert main(arguments) == output.OK
    lines = capsys.readouterr().out.splitlines()
    assert any(
        line.startswith("mqtt.max_inflight = 7") and line.endswith("# --set") for line in lines
    )
    assert any(line.startswith("mqtt.max_qos_allowed = 2") for line in lines)
    assert all("# " in line for line in lines)


def test_configuration_as_json_can_be_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "config", "--json"]) == output.OK
    assert json.loads(capsys.readouterr().out)["mqtt"]["max_inflight"] == 32
    assert main(["node", "config", "--json", "--origin"]) == output.OK
    assert {"path", "value", "origin"} == json.loads(capsys.readouterr().out)[0].keys()


def test_an_example_file_is_good_and_never_overwrites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "etc" / "rookery.conf"
    assert main(["config", "init", str(file)]) == output.OK
    assert f"--config {file}" in capsys.readouterr().out
    example = file.read_text()
    uncommented = re.sub(r"(?m)^( *)# (?=[a-z_.]+ = )", r"\1", example)
    assert uncommented.count("\n  #") == 0
    file.write_text(uncommented)
    assert load(file, tmp_path, environ={}).effective()["mqtt"]["max_packet_size"] == "1MB"
    assert main(["config", "init", str(file)]) == output.FAILED
    assert file.read_text() == uncommented
    assert "was not touched" in capsys.readouterr().err


# -- ports and nodes ----------------------------------------------------------------------


def test_ports_of_a_node_that_does_not_run_come_from_its_configuration(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["ports", "--json", "--set", "listeners.tcp.default.bind=127.0.0.1:1"]) == output.OK
    printed = json.loads(capsys.readouterr().out)
    assert printed["running"] is False
    assert [row["listener"] for row in printed["ports"]] == [
        "tcp:default",
        "ws:default",
        "http:dashboard",
        "unix:management",
    ]
    assert printed["ports"][0]["address"] == "127.0.0.1:1"


def test_nothing_runs_and_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "status"]) == output.NOT_RUNNING
    assert main(["node", "stop"]) == output.OK
    assert capsys.readouterr().out.count("no node runs in") == 2


def test_a_taken_port_is_one_line_with_port_listener_and_holder() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        error = PortInUseError("taken", listener="tcp:default", address=f"127.0.0.1:{port}")
        (line,) = output.error_lines(error)
    assert line.startswith(f"port {port} (tcp:default) is taken by ")
    assert "(process " in line


class StubbornProcess:
    """Stands for a node that neither answers nor minds SIGTERM."""

    pid = 4711
    is_suspended = True

    def __init__(self, *, ends_at: str) -> None:
        self.signals: list[str] = []
        self._ends_at = ends_at

    def signal(self, number: object) -> None:
        self.signals.append(getattr(number, "name", ""))

    def has_ended(self, _timeout_s: float) -> bool:
        return self._ends_at in self.signals


@pytest.mark.parametrize(
    ("ends_at", "signals", "code", "said"),
    [
        ("SIGTERM", ["SIGTERM", "SIGCONT"], output.OK, "stopped"),
        ("SIGKILL", ["SIGTERM", "SIGCONT", "SIGKILL"], output.OK, "killed: it did not stop within"),
        ("never", ["SIGTERM", "SIGCONT", "SIGKILL"], output.FAILED, ""),
    ],
)
def test_stopping_goes_as_far_as_it_must_and_says_how_far(
    tmp_path: Path,
    ends_at: str,
    signals: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    process = StubbornProcess(ends_at=ends_at)
    assert stop_process(process, ManagementClient(tmp_path), 0.1) == code  # type: ignore[arg-type]
    assert process.signals == signals
    assert capsys.readouterr().out.startswith(said)


# -- the management socket ----------------------------------------------------------------


def test_nobody_on_the_socket_and_nobody_answering_are_two_things(tmp_path: Path) -> None:
    client = ManagementClient(tmp_path, timeout_s=0.1)
    with pytest.raises(UnavailableError):
        client.get("/node")
    (tmp_path / "run").mkdir()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "run" / "node.sock"))
        silent.listen()
        with pytest.raises(TimedOutError):
            client.get("/node")


@pytest.mark.parametrize("depth", [0, 12])
def test_a_socket_is_reached_however_long_its_path_is(tmp_path: Path, depth: int) -> None:
    data_dir = tmp_path.joinpath(*["directory-name"] * depth)
    (data_dir / "run").mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server:
        short = tmp_path / "s"
        server.bind(str(short))
        short.rename(data_dir / "run" / "node.sock")
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"node": "n"}')

        thread = threading.Thread(target=answer)
        thread.start()
        assert ManagementClient(data_dir).get("/node") == {"node": "n"}
        thread.join()


# -- client tools -------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["nonsense", "h:", ":1", "h:0", "h:65536", "::1:1883", ""])
def test_an_address_to_load_is_host_and_port(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["bench", f"--address={address}"])
    assert f"--address: {address} is not host:port" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", [["pub", "-t", "a", "-m", "x"], ["sub", "-t", "a"], ["bench", "--quiet"]]
)
def test_no_broker_is_one_clear_line(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = str(sock.getsockname()[1])
        assert main([*command, "-p", port]) == output.FAILED
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert re.search(f"(no connection|cannot connect) to 127.0.0.1:{port}: ", lines[0])
    assert "start a broker (`rookery up`), or name another with -h and -p" in lines[0]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_unknown_host_says_where_to_look(
    language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROOKERY_LANG", language)
    assert main(["sub", "-t", "a", "-h", "no-such-host.invalid"]) == output.FAILED
    (line,) = capsys.readouterr().err.splitlines()
    assert say("mqtt.advice.name") in line


@pytest.mark.parametrize("topic", ["a/#", "a/+/b", ""])
def test_a_topic_with_wildcards_is_not_published_to(
    topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pub", "-t", topic, "-m", "x"]) == output.FAILED
    assert "is not a topic to publish to" in capsys.readouterr().err


def test_every_option_of_bench_reaches_the_generator() -> None:
    text = ["bench", "fanout", "--address", "h:1", "--address", "h:2", "-q", "1", "--clean", "0"]
    for flag, _, kind, _ in bench.OPTIONS:
        text += [flag, "50" if kind is not str else "name"]
    text += [flag for flag, _, _ in bench.SWITCHES]
    config = bench.generator_config(parser().parse_args(text))
    assert config["mode"] == "fanout"
    assert config["addresses"] == ["h:1", "h:2"]
    assert config["clean_start"] is False
    for _, field, kind, _ in bench.OPTIONS:
        assert config[field] == ("name" if kind is str else 50)
    for _, field, _ in bench.SWITCHES:
        assert config[field] is True


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            "cannot connect to 127.0.0.1:1: Connection refused (os error 111)",
            "无法连接 127.0.0.1:1：连接被拒绝",
        ),
        (
            "cannot resolve x.invalid:1: Name or service not known",
            "无法连接 x.invalid:1：找不到该主机名",
        ),
        (
            "h:1 refused the connection with CONNACK code 0x05 (not authorized)",
            "h:1 拒绝连接，CONNACK 代码 0x05 (not authorized)",
        ),
        ("only 1 of 9 connections were ready after 60 s", "60 秒后仅 1/9 个连接就绪"),
    ],
)
def test_errors_of_the_generator_are_told_in_chinese(
    text: str, chinese: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOKERY_LANG", "zh")
    assert bench.in_words(text).startswith(chinese)


def test_no_option_of_bench_is_without_help() -> None:
    (commands,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    assert all(action.help for action in commands.choices["bench"]._actions)


def test_bytes_of_others_do_not_control_a_terminal() -> None:
    shown = for_terminal("gerät\t1\n".encode() + b"\x1b[2J\r\x07\xff\xc2\x9b")
    assert shown == "gerät\t1\n".encode() + rb"\x1b[2J\r\x07\xff\x9b"


def test_bench_leaves_defaults_to_the_generator() -> None:
    config = bench.generator_config(parser().parse_args(["bench"]))
    assert set(config) == {
        "mode", "addresses", "qos", "protocol", "clean_start", "username", "password"
    }  # fmt: skip


# -- completion ---------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_names_every_command(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == output.OK
    script = capsys.readouterr().out
    for word in ("node", "check-config", "bench", "detach", "fanout"):
        assert word in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rookery no", "node"),
        ("rookery node st", "start\nstop\nstatus"),
        ("rookery node start --det", "--detach"),
        ("rookery bench fan", "fanout"),
    ],
)
def test_bash_completes(line: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "bash"])
    script = capsys.readouterr().out
    typed = line.split()
    script += f"""
COMP_WORDS=({" ".join(typed)}); COMP_CWORD={len(typed) - 1}; _rookery
printf '%s\\n' "${{COMPREPLY[@]}}\""""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected


def test_the_command_line_is_read_without_loading_a_broker(tmp_path: Path) -> None:
    import sys

    code = (
        "import sys\nfrom rookery.cli import main\n"
        f"main(['node', 'config', '--data-dir', {str(tmp_path)!r}])\n"
        "print(' '.join(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    heavy = {"asyncio", "starlette", "uvicorn", "paho.mqtt.client", "rookery.broker.node"}
    assert not loaded & (heavy | {"rookery._native"})


def test_words_of_emqx_that_are_not_here_say_what_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["ctl", "--data-dir", "x", "log", "primary-level", "debug"]) == output.USAGE
    said = capsys.readouterr().err
    assert 'there is no "log primary-level" here: `rookery ctl log set-level LEVEL`' in said
    monkeypatch.setenv("ROOKERY_LANG", "zh")
    assert main(["ctl", "retainer", "reindex", "status"]) == output.USAGE
    assert '没有 "retainer reindex"：保留消息的存储无需重建索引' in capsys.readouterr().err


def test_words_that_are_here_are_not_said_to_be_elsewhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    known = parser("ctl")
    for name in ELSEWHERE:
        with pytest.raises(SystemExit) as ended:
            known.parse_args(complete(["ctl", *name.split(), "--help"]))
        assert ended.value.code == output.USAGE, name
    assert capsys.readouterr().out == ""
