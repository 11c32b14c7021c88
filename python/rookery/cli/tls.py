"""``rookery tls``: certificates for tests and small installations."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import Any

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.parsers import add_command, add_json, add_place

EXAMPLES = """\
  rookery tls init
  rookery tls init --dir ./certs --host broker.example.com --host 192.0.2.10
  rookery tls init --dir ./certs --client sensor-1 --client sensor-2
  rookery tls init --relay --dir ./certs --host control.example.com --client plant-7"""
DAYS = 825
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
DEFAULT_CLIENT = "client"
DEFAULT_EDGE = "edge"
FOLDER = "certs"


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "tls", "help.tls", None)
    root.set_defaults(parser=root)
    verbs = root.add_subparsers(metavar="COMMAND")
    init = add_command(verbs, "init", "help.tls.init", _init, examples=EXAMPLES)
    add_place(init)
    init.add_argument("--dir", metavar="DIR", type=Path, help=say("option.tls.dir"))
    init.add_argument(
        "--host", metavar="NAME", action="append", default=[], help=say("option.tls.host")
    )
    init.add_argument(
        "--client", metavar="NAME", action="append", default=[], help=say("option.tls.client")
    )
    init.add_argument("--relay", action="store_true", help=say("option.tls.relay"))
    init.add_argument("--days", metavar="N", type=int, default=DAYS, help=say("option.tls.days"))
    add_json(init)


def _init(arguments: argparse.Namespace) -> int:
    from rookery.access.authority import Authority, now_utc  # noqa: PLC0415
    from rookery.config.load import data_dir_of  # noqa: PLC0415
    from rookery.errors import BadRequestError  # noqa: PLC0415

    if not 1 <= arguments.days <= 3650:
        raise BadRequestError(say("tls.days"))
    folder = arguments.dir or data_dir_of(arguments.data_dir, arguments.config) / FOLDER
    authority = Authority(folder.absolute(), now_utc())
    made = [authority.certificate_file] if authority.is_new else []
    if arguments.host or not authority.has("server"):
        hosts = list(dict.fromkeys([*arguments.host, *_own_names()]))
        made += authority.sign_server(hosts, arguments.days)
    usual = DEFAULT_EDGE if arguments.relay else DEFAULT_CLIENT
    clients = arguments.client or ([] if authority.has(usual) else [usual])
    for name in clients:
        made += authority.sign_client(name, arguments.days)
    if arguments.json:
        output.show_json({"dir": str(authority.folder), "made": [str(path) for path in made]})
        return output.OK
    for path in made:
        output.line(say("tls.wrote", file=path))
    if not made:
        output.line(say("tls.nothing", dir=authority.folder))
    output.line("\n" + say("tls.paste") + "\n")
    client = clients[0] if clients else usual
    if arguments.relay:
        output.line(relay_text(authority.folder, client))
        files = [authority.folder / name for name in ("ca.pem", f"{client}.pem", f"{client}.key")]
        output.line("\n" + say("tls.edge", ca=files[0], certificate=files[1], private=files[2]))
        return output.OK
    output.line(listener_text(authority.folder))
    output.line("\n" + say("tls.try") + "\n")
    output.line(
        f"  rookery sub -p 8883 --cafile {authority.folder}/ca.pem "
        f"--cert {authority.folder}/{client}.pem --key {authority.folder}/{client}.key -t '#'"
    )
    return output.OK


def listener_text(folder: Path) -> str:
    """The lines of a configuration file that use the certificates of ``folder``."""
    return f"""\
listeners.ssl.default {{
  bind = "0.0.0.0:8883"
  ssl_options {{
    certfile = "{folder}/server.pem"
    keyfile = "{folder}/server.key"
    cacertfile = "{folder}/ca.pem"
    verify = verify_peer            # clients show a certificate of this CA …
    fail_if_no_peer_cert = true     # … or are refused
  }}
}}"""


def relay_text(folder: Path, client: str) -> str:
    """The lines of a control plane's configuration file that use the certificates of ``folder``."""
    return f"""\
control {{
  relay.ssl_options {{
    certfile = "{folder}/server.pem"
    keyfile = "{folder}/server.key"
    cacertfile = "{folder}/ca.pem"
    verify_peer = true              # an edge's certificate must be of this CA
    fail_if_no_peer_cert = false    # true: who shows none is refused, agents of clusters too
  }}
  mqtt {{
    cacertFile = "{folder}/ca.pem"
    certFile = "{folder}/{client}.pem"
    keyFile = "{folder}/{client}.key"
  }}
}}"""


def _own_names() -> list[str]:
    name = socket.gethostname()
    return [*LOCAL_HOSTS, name] if name and name not in LOCAL_HOSTS else list(LOCAL_HOSTS)
