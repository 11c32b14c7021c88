"""A service that is there and answers every request with an error: everybody sees it."""

from __future__ import annotations

from harness.operator import Operator, eventually
from harness.rest import RestSocket
from harness.web_service import web_service

AT = "/actions/http%3Atell"
ALARM = "action:http:tell:connector:http:service"
RULE = {"id": "all", "sql": 'SELECT payload FROM "t/#"', "actions": ["http:tell"]}
OPTIONS = {"health_check_interval": "500ms", "retry_interval": "100ms"}
ACTION = {"type": "http", "name": "tell", "connector": "service", "resource_opts": OPTIONS}


def test_an_action_whose_service_takes_nothing_is_not_well(
    shared: Operator, asks: RestSocket
) -> None:
    with web_service() as service:
        connector = {"type": "http", "name": "service", "url": service.url}
        for path, body in (("/connectors", connector), ("/actions", ACTION), ("/rules", RULE)):
            assert asks.ask("POST", path, body).status == 201
        assert asks.ask("GET", AT).json["status"] == "connected"
        service.status = 500
        asks.ask("POST", "/publish", {"topic": "t/1", "payload": "x"})
        eventually(lambda: ALARM in shared.alarms())

        row = asks.ask("GET", AT).json
        assert row["status"] == "connecting"
        assert row["status_reason"].startswith("nothing was taken since 20")
        assert row["status_reason"].endswith(f"127.0.0.1:{service.port} answered 500")
        assert row["status_reason_zh"].endswith(f"127.0.0.1:{service.port} 返回 500")
        assert asks.ask("GET", "/connectors/http%3Aservice").json["status"] == "connected"
        shown = asks.ask("GET", "/prometheus/data_integration").text
        assert 'emqx_action_status{id="http:tell"} 0' in shown

        # What waits is sent when it is taken again, and says so by itself.
        service.status = 200
        eventually(lambda: ALARM not in shared.alarms())
        assert asks.ask("GET", AT).json["status"] == "connected"
        counted = asks.ask("GET", f"{AT}/metrics").json["metrics"]
        assert (counted["success"], counted["dropped"]) == (1, 0)
        shown = asks.ask("GET", "/prometheus/data_integration").text
        assert 'emqx_action_status{id="http:tell"} 1' in shown

        # What is refused for good is told too, with its time, and not as a setting that is sent back.
        assert asks.ask("GET", AT).json["last_error"].endswith("answered 500")
        service.status = 400
        asks.ask("POST", "/publish", {"topic": "t/1", "payload": "x"})
        eventually(lambda: "answered 400" in asks.ask("GET", AT).json["last_error"])
        row = asks.ask("GET", AT).json
        assert "返回 400" in row["last_error_zh"]
        assert row["last_error_at"].startswith("20")
        assert (
            asks.ask("PUT", AT, {k: v for k, v in row.items() if k not in ("type", "name")}).status
            == 200
        )
        assert "last_error" not in asks.ask("GET", "/sources").text
