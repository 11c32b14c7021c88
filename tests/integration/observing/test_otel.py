"""Spans of messages arrive at a collector, which here is a server that decodes what comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from harness.client import DEADLINE_S
from harness.operator import Operator, operated
from harness.waiting import until
from rookery.errors import BadRequestError

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# The SDK is loaded with the first span, which takes seconds on a busy machine.
PATIENCE_S = 3 * DEADLINE_S
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


class Collector:
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        self.received: list[ResourceSpans] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self._changed = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.path == "/v1/traces"
                collector.take(body, {k.lower(): v for k, v in self.headers.items()})
                self.send_response(collector.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        with self._changed:
            self.headers.append(headers)
            if self.status == 200:
                self.received += ExportTraceServiceRequest.FromString(body).resource_spans
            self._changed.notify_all()

    def spans(self, count: int) -> list[Span]:
        """Wait for that many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._all()) >= count, PATIENCE_S)
            return self._all()

    def _all(self) -> list[Span]:
        return [s for r in self.received for scope in r.scope_spans for s in scope.spans]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.close()


def configured(collector: Collector, **more: str) -> dict[str, str]:
    return {
        "opentelemetry.exporter.endpoint": collector.endpoint,
        "opentelemetry.traces.enable": "true",
        "opentelemetry.traces.scheduled_delay": "50ms",
        **{f"opentelemetry.traces.{name}": value for name, value in more.items()},
    }


def ready(operator: Operator) -> None:
    """Clients are served before anything looks at them: wait for the services."""
    operator.api.get("/node")


def exchange(operator: Operator, count: int = 1, **properties: object) -> list[str]:
    """A client publishes to another one; what the receiver finds as ``traceparent``."""
    ready(operator)
    reader = operator.node.connect("reader", 5)
    writer = operator.node.connect("writer", 5)
    reader.subscribe("t", qos=1)
    found = []
    for _ in range(count):
        writer.publish("t", b"hello", qos=1, properties=dict(properties))  # type: ignore[arg-type]
        pairs: Any = reader.receive("t").properties.get("user_property", [])
        found += [value for name, value in pairs if name == "traceparent"]
    return found


def attributes(span: Span) -> dict[str, object]:
    return {
        item.key: getattr(item.value, item.value.WhichOneof("value") or "string_value")
        for item in span.attributes
    }


def test_a_message_with_a_context_becomes_two_spans_of_its_trace(
    collector: Collector, tmp_path: Path
) -> None:
    settings = configured(collector) | {"opentelemetry.exporter.headers.x-token": "abc"}
    with operated(tmp_path, settings=settings) as operator:
        [handed_on] = exchange(operator, user_property=[("traceparent", PARENT)])
        publish, deliver = sorted(collector.spans(2), key=lambda span: span.name, reverse=True)

    assert (publish.name, deliver.name) == ("mqtt.publish", "mqtt.deliver")
    assert publish.trace_id.hex() == deliver.trace_id.hex() == TRACE_ID
    assert publish.parent_span_id.hex() == "b7ad6b7169203331"
    assert deliver.parent_span_id == publish.span_id
    # The receiver can go on where the node ended.
    assert handed_on == f"00-{TRACE_ID}-{publish.span_id.hex()}-01"
    assert publish.start_time_unix_nano <= publish.end_time_unix_nano
    assert publish.start_time_unix_nano <= deliver.end_time_unix_nano
    told = attributes(publish)
    assert told["messaging.system"] == "mqtt"
    assert told["messaging.destination.name"] == "t"
    assert told["messaging.client.id"] == "writer"
    assert told["messaging.message.body.size"] == 5
    assert told["mqtt.qos"] == 1
    assert attributes(deliver)["messaging.client.id"] == "reader"
    resource = {
        item.key: item.value.string_value for item in collector.received[0].resource.attributes
    }
    assert resource["service.name"] == "rookery"
    assert resource["service.instance.id"] == "rookery@127.0.0.1"
    assert collector.headers[0]["x-token"] == "abc"


def test_messages_without_a_context_are_traced_only_on_demand(
    collector: Collector, tmp_path: Path
) -> None:
    with operated(tmp_path, settings=configured(collector)) as operator:
        assert exchange(operator) == []
        operator.file.write_text("opentelemetry.traces.filter.trace_all = true")
        operator.rest.post("/configs_reload")
        [handed_on] = exchange(operator)
        publish = next(span for span in collector.spans(2) if span.name == "mqtt.publish")
    assert handed_on == f"00-{publish.trace_id.hex()}-{publish.span_id.hex()}-01"
    assert publish.parent_span_id == b""


def test_a_ratio_of_nothing_traces_nothing(collector: Collector, tmp_path: Path) -> None:
    settings = configured(collector, **{"filter.trace_all": "true", "filter.sample_ratio": "0"})
    with operated(tmp_path, settings=settings) as operator:
        assert exchange(operator, 20) == []


def test_a_full_queue_drops_and_counts(collector: Collector, tmp_path: Path) -> None:
    collector.status = 400
    settings = configured(
        collector, **{"filter.trace_all": "true", "max_queue_size": "4", "scheduled_delay": "1h"}
    )
    with operated(tmp_path, settings=settings) as operator:
        ready(operator)
        writer = operator.node.connect("writer", 5)
        # In one piece: the node takes them in one turn, and hands the spans up together.
        for _ in range(50):
            writer.publish("nobody", b"", qos=0)
        writer.fence()

        def figures() -> dict[str, int]:
            found = operator.rest.get("/metrics?aggregate=true")
            names = ("received", "dropped", "exported", "failed")
            return {name: found[f"opentelemetry.spans.{name}"] for name in names}

        until(lambda: figures()["received"] == 50, "all came", within_s=PATIENCE_S)
        until(
            lambda: figures()["dropped"] + figures()["failed"] > 0,
            "some are lost",
            within_s=PATIENCE_S,
        )
        assert figures()["exported"] == 0
        operator.node.assert_served()


def test_a_collector_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    gone = Collector()
    gone.close()
    settings = configured(gone, **{"filter.trace_all": "true", "exporting_timeout": "1s"})
    with operated(tmp_path, settings=settings) as operator:
        exchange(operator, 10)
        until(
            lambda: operator.rest.get("/metrics?aggregate=true")["opentelemetry.spans.failed"] > 0,
            "it gives spans up",
            within_s=PATIENCE_S,
        )
        operator.node.assert_served()


def test_traces_are_switched_over_rest(collector: Collector, tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        before = operator.rest.get("/opentelemetry")
        assert (before["traces"]["enable"], before["exporter"]["headers"]) == (False, {})
        wanted = {
            "exporter": {"endpoint": collector.endpoint, "headers": {"x-token": "abc"}},
            "traces": {
                "enable": True,
                "filter": {"trace_all": True, "sample_ratio": 1.0},
                "max_queue_size": 100,
                "scheduled_delay": "50ms",
                "exporting_timeout": "5s",
            },
        }
        shown = operator.rest.put("/opentelemetry", wanted)
        assert shown["exporter"]["headers"] == {"x-token": "******"}
        # What is shown may be sent back: the token stays what it was.
        assert operator.rest.put("/opentelemetry", shown) == shown
        exchange(operator)
        collector.spans(2)
        assert collector.headers[0]["x-token"] == "abc"
        assert operator.rest.put("/opentelemetry", {})["traces"] == before["traces"]
        with pytest.raises(BadRequestError):
            operator.rest.put("/opentelemetry", {"traces": {"scheduled_delay": "soon"}})
