"""``rookery control`` as a user has it, with the database in a file."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from harness import role_command
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess

CODE = re.compile(r"^[0-9a-f]{20}$")


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    """One that somebody has set up."""
    process = ControlProcess(tmp_path_factory.mktemp("one") / "control")
    process.start()
    asyncio.run(set_up(process))
    yield process
    process.kill()


async def set_up(process: ControlProcess) -> None:
    async with aiohttp.ClientSession() as client:
        await Asker(process.url, client).set_up()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


def rookery(process: ControlProcess, *words: str, typed: str = "") -> tuple[int, str]:
    """Exit code and everything that was said."""
    return role_command.run(["control", *words, "--data-dir", str(process.data_dir)], typed=typed)


async def test_one_port_speaks_http_here_and_tls_to_everybody(
    process: ControlProcess, client: aiohttp.ClientSession
) -> None:
    assert CODE.match(process.setup_code)
    here = Asker(process.url, client)
    admin = await here.sign_in()
    org = await here.make(admin, "/orgs", {"name": "East"})
    await here.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})

    # The same port speaks TLS, with a certificate of the authority that agents are told to trust.
    authority = process.data_dir / "certificates" / "ca.pem"
    tls = ssl.create_default_context(cafile=str(authority))
    url = process.url.replace("http:", "https:") + "/api/projects"
    headers = {"authorization": f"Bearer {admin}"}
    async with client.get(url, ssl=tls, headers=headers) as answer:
        assert [row["name"] for row in (await answer.json())["items"]] == ["Plant 1"]
        assert "strict-transport-security" in answer.headers

    code, said = rookery(process, "status", "--json")
    found = json.loads(said)
    assert (code, found["status"], found["setupFinished"]) == (0, "running", True)
    assert PASSWORD not in "\n".join(process.log)


async def test_the_access_address_is_tested_by_asking_there(
    process: ControlProcess, client: aiohttp.ClientSession
) -> None:
    here = Asker(process.url, client)
    admin = await here.sign_in()
    path = "/configuration/server-access-name/test"
    for scheme in ("http", "https"):
        body = {"url": f"{scheme}://{process.address}"}
        assert (await here.ask("POST", path, body, token=admin)).status == 204
    answer = await here.ask("POST", path, {"url": "https://127.0.0.1:1"}, token=admin)
    assert answer.problem == (400, "TEST_FAILED")
    assert "cannot be reached" in answer.json["message"]


async def test_a_second_process_leaves_the_data_of_the_first_alone(
    process: ControlProcess, client: aiohttp.ClientSession
) -> None:
    code, said = rookery(process, "start", "--set", "control.bind=127.0.0.1:0")
    assert code != 0
    assert str(process.pid) in said
    assert (await Asker(process.url, client).ask("GET", "/setup")).status == 200


async def test_what_was_answered_survives_a_kill_while_others_write(
    client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    process = ControlProcess(tmp_path / "control")
    process.start()
    here = Asker(process.url, client)
    admin = await here.set_up()
    answered: list[str] = []

    async def write(number: int) -> None:
        for attempt in range(100):
            name = f"{number}-{attempt}"
            body = {"email": f"u{name}@example.com", "password": PASSWORD}
            answer = await here.ask("POST", "/users", body, token=admin)
            assert answer.status == 201
            answered.append(body["email"])
            if len(answered) == 12:
                await asyncio.to_thread(process.kill)

    await asyncio.gather(*(write(number) for number in range(4)), return_exceptions=True)
    assert len(answered) >= 12
    process.start()

    again = Asker(process.url, client)
    admin = await again.sign_in()
    users = (await again.ask("GET", "/users?size=1000", token=admin)).json["items"]
    path = "/audit?resource=users&operation=create&size=1000"
    told = (await again.ask("GET", path, token=admin)).json["items"]
    emails = {row["email"] for row in users}
    assert emails >= {ADMIN, *answered}
    # Neither a change without its row in the audit nor a row without its change.
    assert sorted(row["objectName"] for row in told) == sorted(emails)
    assert rookery(process, "stop") == (0, "stopped\n")
    assert rookery(process, "status")[0] == 3
    assert process.stop() == 0


async def test_who_lost_the_password_gets_in_from_the_machine(
    process: ControlProcess, client: aiohttp.ClientSession
) -> None:
    here = Asker(process.url, client)
    admin = await here.sign_in()
    code, said = rookery(process, "reset-admin", typed=f"{PASSWORD}\n")
    assert code == 0, said
    assert (await here.ask("GET", "/profile", token=admin)).status == 401
    admin = await here.sign_in()
    row = (await here.ask("GET", "/audit?operation=resetAdmin", token=admin)).json["items"][0]
    assert (row["via"], row["objectName"]) == ("machine", ADMIN)
    code, said = rookery(process, "reset-admin", typed="easy\n")
    assert code != 0
    assert "easy" not in said


async def test_a_backup_of_a_process_that_runs_can_be_restored_elsewhere(
    process: ControlProcess, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    here = Asker(process.url, client)
    admin = await here.sign_in()
    await here.make(admin, "/orgs", {"name": "of the backup"})
    file = tmp_path / "backup.tar.gz"
    assert rookery(process, "backup", str(file))[0] == 0
    assert file.stat().st_mode & 0o077 == 0
    code, said = rookery(process, "restore", str(file), "--force")
    assert code != 0, said  # it runs

    other = ControlProcess(tmp_path / "other")
    code, said = rookery(other, "restore", str(file))
    assert code == 0, said
    assert all(
        item.stat().st_mode & 0o077 == 0 for item in other.data_dir.rglob("*") if item.is_file()
    )
    other.start()
    there = Asker(other.url, client)
    assert (await there.ask("GET", "/profile", token=admin)).status == 401
    admin = await there.sign_in()
    assert (await there.ask("GET", "/orgs?name=backup", token=admin)).json["total"] == 1
    old, new = (where / "certificates" / "ca.pem" for where in (process.data_dir, other.data_dir))
    assert new.read_bytes() == old.read_bytes()
    other.stop()
