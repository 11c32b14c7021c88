"""One login, then a key; a refused password is left alone for ten minutes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.agent.cluster_api import ClusterApi
from rookery.agent.credentials import LOGIN_GAP_S, RETRY_S, Attempts, ClusterCredentials
from rookery.agent.failures import ANSWER, REFUSED, CallError
from rookery.agent.http_client import Answer, HttpClient, Trust
from rookery.agent.secret_file import SecretFile
from rookery.clock import ManualClock


class Cluster(HttpClient):
    """A cluster with one user, in memory."""

    def __init__(self) -> None:
        super().__init__("http://cluster:18083", Trust())
        self.password = "right"
        self.logins: list[str] = []
        self.keys: dict[str, str] = {}
        self.made = 0
        self.roles: list[str] = []
        self.failure: CallError | None = None

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: object = None
    ) -> Answer:
        if self.failure is not None:
            raise self.failure
        if path == "/api/v5/login":
            asked = json.loads(body or b"")
            self.logins.append(asked["password"])
            if asked["password"] != self.password:
                return Answer(401, {}, b'{"code":"BAD_USERNAME_OR_PWD","message":"no"}')
            return Answer(200, {}, b'{"token":"t"}')
        if method == "DELETE":
            name = path.rpartition("/")[2]
            return Answer(204 if self.keys.pop(name, None) else 404, {}, b"")
        wanted = json.loads(body or b"")
        self.made += 1
        self.roles.append(wanted["role"])
        self.keys[wanted["name"]] = f"s{self.made}"
        made = {"api_key": f"k{self.made}", "api_secret": f"s{self.made}", **wanted}
        return Answer(200, {}, json.dumps(made).encode())


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = Cluster()
        self.clock = ManualClock()
        self.file = SecretFile(folder / "secrets", folder / "key")
        self.file.write({"username": "admin", "password": "right", "node_id": "n1"})

    def credentials(self, candidate: tuple[str, str] | None = None) -> ClusterCredentials:
        """As after a start of the agent."""
        return ClusterCredentials(
            ClusterApi("http://cluster:18083", client=self.cluster),
            self.file,
            Attempts(self.folder / "attempts.json"),
            self.clock,
            candidate=candidate,
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def refusal(credentials: ClusterCredentials) -> CallError:
    with pytest.raises(CallError) as refused:
        credentials.key()
    return refused.value


def test_one_login_makes_a_key_that_is_kept(world: World) -> None:
    first = world.credentials()
    assert first.key() == ("k1", "s1")
    assert first.key() == ("k1", "s1")
    assert world.credentials().key() == ("k1", "s1")
    assert world.cluster.logins == ["right"]


def test_another_key_is_for_who_may_only_look(world: World) -> None:
    # An agent that had a key of its own before there was this one makes it with the first wish for it.
    key = world.credentials().key()
    made = world.credentials().viewer_key()
    assert made != key
    assert world.credentials().viewer_key() == made
    assert world.credentials().key() == key
    assert world.cluster.roles == ["administrator", "viewer"]
    assert world.cluster.keys == {"rookery-agent-n1": key[1], "rookery-agent-n1-viewer": made[1]}
    credentials = world.credentials()
    credentials.refuse_viewer_key()
    assert credentials.viewer_key() not in (made, key)


def test_a_refused_password_is_tried_again_after_ten_minutes(world: World) -> None:
    world.cluster.password = "changed at the cluster"
    credentials = world.credentials()
    assert refusal(credentials).code == REFUSED
    for _ in range(40):
        # Reports go on, and somebody restarts the agent again and again.
        world.clock.advance(RETRY_S / 40 - 0.1)
        assert "again in" in refusal(credentials).message
        credentials = world.credentials()
    assert len(world.cluster.logins) == 1

    world.clock.advance(5)
    refusal(credentials)
    assert len(world.cluster.logins) == 2
    world.cluster.password = "right"
    world.clock.advance(RETRY_S - 1)
    refusal(world.credentials())
    world.clock.advance(1)
    assert world.credentials().key() == ("k1", "s1")


def test_another_password_is_tried_at_once_and_kept_when_it_is_right(world: World) -> None:
    world.cluster.password = "new"
    refusal(world.credentials())
    refusal(world.credentials(("admin", "wrong")))
    assert world.file.read()["password"] == "right"

    assert world.credentials(("admin", "new")).key() == ("k1", "s1")
    assert world.file.read()["password"] == "new"
    assert world.cluster.logins == ["right", "wrong", "new"]


def test_a_wrong_candidate_leaves_a_working_key_alone(world: World) -> None:
    world.credentials().key()

    refusal(world.credentials(("admin", "wrong")))

    assert world.credentials().key() == ("k1", "s1")


def test_a_key_that_was_deleted_is_made_anew_but_not_in_a_loop(world: World) -> None:
    credentials = world.credentials()
    credentials.key()
    world.clock.advance(LOGIN_GAP_S)
    credentials.refuse_key()
    assert credentials.key() == ("k2", "s2")
    assert list(world.cluster.keys) == ["rookery-agent-n1"]

    credentials.refuse_key()
    assert refusal(credentials).code == REFUSED
    assert len(world.cluster.logins) == 2


def test_a_cluster_that_is_away_is_no_refusal(world: World) -> None:
    world.cluster.failure = CallError("UNREACHABLE", "nobody there")
    credentials = world.credentials()
    for _ in range(3):
        assert refusal(credentials).is_unreachable
    world.cluster.failure = None

    assert credentials.key() == ("k1", "s1")


def test_a_clock_that_was_set_back_does_not_try_earlier(world: World) -> None:
    world.cluster.password = "other"
    refusal(world.credentials())
    world.clock.advance(-7200)

    assert world.credentials().wait_s() == RETRY_S


@given(st.binary(max_size=60))
def test_a_damaged_file_of_attempts_is_none(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.mktemp("a") / "attempts.json"
    file.write_bytes(data)
    attempts = Attempts(file)
    attempts.refused_ms("mark")
    attempts.refuse("mark", 5)
    assert attempts.refused_ms("mark") == 5


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"token":5}', b'{"token":""}', b"[" * 50_000, b'{"token":"\xc3\xa9"}']
)
def test_an_answer_that_makes_no_sense_is_none(world: World, body: bytes) -> None:
    class Odd(Cluster):
        def call(self, *_: object, **__: object) -> Answer:
            return Answer(200, {}, body)

    with pytest.raises(CallError) as refused:
        ClusterApi("http://cluster:18083", client=Odd()).login("a", "b")
    assert refused.value.code == ANSWER
