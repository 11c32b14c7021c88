"""Documents that rules write into a real OpenSearch, which speaks Elasticsearch's interface."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from harness.databases import Server
from harness.http_service import http_server
from harness.opensearch import opensearch_server
from harness.sending import connector_of, item, reasons, working
from rookery.connectors.base import Recoverable, Unhealthy
from rookery.native.action_fields import UNDEFINED, JsonText

CREATE = {"action": "create", "index": "m", "id": "${payload.id}", "doc": "${payload}"}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with opensearch_server() as running:
        yield running


class Documents:
    """What is in the indexes."""

    def __init__(self, server: Server) -> None:
        self._session = aiohttp.ClientSession(f"http://{server.address}")

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        async with self._session.request(method, path, json=body) as answer:
            return await answer.json()

    async def all(self, index: str = "m") -> dict[str, Any]:
        await self.ask("POST", f"/{index}/_refresh")
        found = await self.ask("GET", f"/{index}/_search?size=100")
        return {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]}

    async def close(self) -> None:
        for name in await self.ask("GET", "/_all"):
            await self.ask("DELETE", f"/{name}")
        await self._session.close()


@pytest.fixture
async def documents(server: Server) -> AsyncIterator[Documents]:
    found = Documents(server)
    yield found
    await found.close()


def to(running: Server, **more: Any) -> dict[str, Any]:
    return {"server": running.address, **more}


async def test_create_update_and_delete(server: Server, documents: Documents) -> None:
    async with working("elasticsearch", to(server), CREATE) as action:
        assert not await action.send(
            [item("m", "a", '{"v": 1}'), item("m", "b", '{"v":\n2}'), item("m", "a", '{"v": 3}')]
        )
    assert await documents.all() == {"a": {"v": 3}, "b": {"v": 2}}
    update = {"action": "update", "index": "${i}", "id": "${id}", "doc_as_upsert": True}
    async with working("elasticsearch", to(server), update) as action:
        rows = [("a", '{"w": 1}'), ("c", '{"w": 2}'), ("a", '{"w": 3}')]
        assert not await action.send([item("m", key, JsonText(doc)) for key, doc in rows])
    delete = {"action": "delete", "index": "m", "id": "${id}"}
    async with working("elasticsearch", to(server), delete) as action:
        assert not await action.send([item("m", "b"), item("m", "was never there")])
    assert await documents.all() == {"a": {"v": 3, "w": 3}, "c": {"w": 2}}


async def test_documents_without_an_id_are_stored_once(
    server: Server, documents: Documents
) -> None:
    create = {"action": "create", "index": "m", "doc": "${payload}"}
    async with working("elasticsearch", to(server), create) as action:
        rows = [item("m", '{"v": 1}'), item("m", '{"v": 2}')]
        assert not await action.send(rows)
        assert not await action.send(rows)
    assert sorted(doc["v"] for doc in (await documents.all()).values()) == [1, 2]


async def test_a_document_that_is_refused_takes_no_other_with_it(
    server: Server, documents: Documents
) -> None:
    mapping = {"mappings": {"properties": {"v": {"type": "integer"}}}}
    await documents.ask("PUT", "/m", mapping)
    async with working("elasticsearch", to(server), CREATE) as action:
        rows = [
            item("m", "a", '{"v": 1}'),
            item("m", "b", '{"v": "abc"}'),
            item("m", "x" * 600, '{"v": 2}'),  # which makes the whole request invalid
            item("m", "c", "no object"),
            item("NO SUCH", "d", '{"v": 3}'),
            item("m", "e", '{"v": 4}'),
        ]
        failures = reasons(await action.send(rows))
        assert failures.keys() == {row.number for row in rows[1:5]}
        assert "integer" in failures[rows[1].number]
        assert "Validation Failed" in failures[rows[2].number]
        assert reasons(await action.send([rows[2]])).keys() == {rows[2].number}
    assert await documents.all() == {"a": {"v": 1}, "e": {"v": 4}}


async def test_a_conflict_is_told(server: Server, documents: Documents) -> None:
    keep = CREATE | {"overwrite": False}
    async with working("elasticsearch", to(server), keep) as action:
        first, second = item("m", "a", '{"v": 1}'), item("m", "a", '{"v": 2}')
        assert "already exists" in reasons(await action.send([first, second]))[second.number]
        assert not await action.send([item("m", UNDEFINED, '{"v": 5}')])
    assert (await documents.all())["a"] == {"v": 1}


async def test_a_blocked_index_is_waited_for(server: Server, documents: Documents) -> None:
    async with working("elasticsearch", to(server), CREATE) as action:
        assert not await action.send([item("m", "a", '{"v": 1}')])
        await documents.ask("PUT", "/m/_settings", {"index.blocks.write": True})
        blocked = item("m", "a", '{"v": 2}')
        (failure,) = await action.send([blocked]) or ()
        assert failure.is_recoverable
        await documents.ask("PUT", "/m/_settings", {"index.blocks.write": None})
        assert not await action.send([blocked])
    assert await documents.all() == {"a": {"v": 2}}


async def test_a_data_stream(server: Server, documents: Documents) -> None:
    template = {"index_patterns": ["ds*"], "data_stream": {}}
    await documents.ask("PUT", "/_index_template/ds", template)
    create = {"action": "create", "index": "ds-1", "doc": "${payload}"}
    async with working("elasticsearch", to(server), create) as action:
        assert not await action.send([item("ds-1", '{"@timestamp": 1700000000000, "v": 1}')])
    assert [doc["v"] for doc in (await documents.all("ds-1")).values()] == [1]
    await documents.ask("DELETE", "/_data_stream/ds-1")


async def test_what_is_wrong_is_said_in_words(server: Server) -> None:
    with pytest.raises(Unhealthy, match=r"connect to 127.0.0.1:1 refused: see whether"):
        await connector_of("elasticsearch", {"server": "127.0.0.1:1"}).start()
    tls = {"enable": True, "verify": "verify_none"}
    with pytest.raises(Unhealthy, match=r"does not speak TLS: switch ssl.enable off"):
        await connector_of("elasticsearch", to(server, ssl=tls)).start()


async def test_username_and_password() -> None:
    login = {"username": "rookery", "password": "it's secret"}
    async with http_server() as service:
        settings = {"server": service.url.removeprefix("http://"), "authentication": login}
        service.answer = {"version": {"number": "9.0.0"}}
        async with working("elasticsearch", settings, CREATE) as action:
            expected = base64.b64encode(b"rookery:it's secret").decode()
            assert service.asked[-1].headers["authorization"] == f"Basic {expected}"
            for status, is_connection in ((401, True), (429, False), (503, True)):
                service.status = status
                with pytest.raises(Recoverable, match=str(status)) as refused:
                    await action.send([item("m", "a", "{}")])
                assert refused.value.is_connection is is_connection
        service.status = 403
        with pytest.raises(Unhealthy, match="username or password"):
            await connector_of("elasticsearch", settings).start()
        service.status, service.answer = 200, b"<html>a router</html>"
        with pytest.raises(Unhealthy, match="no Elasticsearch: <html>"):
            await connector_of("elasticsearch", settings).start()
