"""What parameters in the paths of a node look like, for its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMES: Mapping[str, Any] = {
    "/api_key/{name}": "monitoring",
    "/authentication/{id}": "password_based:built_in_database",
    "/authorization/sources/{type}": "built_in_database",
    "/configs_reset/{rootname}": "alarm",
    "/error_codes/{code}": "CLIENTID_NOT_FOUND",
    "/actions/{id}": "http:tell_plant",
    "/connectors/{id}": "http:plant_service",
    "/listeners/{id}": "tcp:default",
    "/nodes/{node}/actions/{id}": "http:tell_plant",
    "/nodes/{node}/connectors/{id}": "http:plant_service",
    "/nodes/{node}/sources/{id}": "mqtt:from_plant_2",
    "/rules/{id}": "hot_line",
    "/sources/{id}": "mqtt:from_plant_2",
    "/plugins/{name}": "payload_transform-1.0.0",
    "/trace/{name}": "trace-sensor-1",
    "as": "clientid",
    "clientid": "sensor-1",
    "filename": "rookery-export-2026-01-31-08-00-00.000.tar.gz",
    "msgid": "000000000000000A",
    "node": "rookery@127.0.0.1",
    "position": "front",
    "topic": "plant/1/state",
    "user_id": "alice",
    "username": "alice",
    "who": "sensor-1",
}
"""What a parameter in a path looks like: by the beginning of the path, else by its name."""
