"""A template to 200 edge services: how long until each has said that it has it.

    .venv/bin/python bench/edge_delivery.py                  200 edge services, one minute
    .venv/bin/python bench/edge_delivery.py --edges 20       a try

One control plane (the shipped command); another process plays the edge services with the real protocol through the
real relay: they enrol, are adopted, report, and need a while for each delivery. The template is delivered in one wave,
again in waves of 20, and taken back. The rule: each in less than 10 s, every edge service reached. Written to
`results/`, as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from control import BENCH, say, write
from control_plane import ControlPlane, Load, Project

SECONDS_MAX = 10.0
LOOK_S = 0.25
DRIVERS, GROUPS, TAGS = 4, 2, 25


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="rookery-bench-") as folder:
        control = ControlPlane(Path(folder), options.rookery, options.database, "tcp")
        control.start()
        load = Load()
        try:
            found = _measure(control, load, options)
        finally:
            load.stop()
            control.stop()
    write(found, options.out, f"edge-delivery-{options.edges}")
    return 0 if found["holds"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edges", type=int, default=200)
    parser.add_argument("--interval", type=int, default=15, help="seconds between reports")
    parser.add_argument("--work", type=float, default=0.1, help="seconds an edge service needs")
    parser.add_argument("--database", default="", help="address of a PostgreSQL; else SQLite")
    parser.add_argument("--rookery", default=f"{BENCH.parent}/.venv/bin/rookery")
    parser.add_argument("--out", type=Path, default=BENCH / "results")
    return parser.parse_args()


def _measure(control: ControlPlane, load: Load, options: argparse.Namespace) -> dict[str, Any]:
    project = control.make_project(0, options.interval)
    say(f"{options.edges} edge services enrol …")
    wanted = {
        "edges": options.edges,
        "port": control.relay_port,
        "workS": options.work,
        "intervalS": options.interval,
    }
    load.start(wanted, "edge_load.py")
    load.until(lambda line: line.get("connected", 0) >= options.edges, 600)
    adopt(project, options.edges)
    content, parameters = _template()
    given = {"name": "bench", "content": content, "parameters": parameters}
    template = project.ask("POST", f"{project.path}/edgetemplates", given)["id"]
    load.wait(options.interval + 2)
    services = project.ask("GET", f"{project.path}/edgeservices?size=1000")["items"]
    aim = {
        "defaults": {"port": "502"},
        "values": {row["id"]: {"host": f"10.0.0.{n % 250}"} for n, row in enumerate(services)},
    }
    figures: dict[str, Any] = {}
    deliver = f"{project.path}/edgetemplates/{template}/deliver"
    runs = (
        ("one wave", deliver, {**aim, "labels": ["bench"]}),
        ("waves of 20", deliver, {**aim, "waveSize": 20}),
    )
    for name, path, body in runs:
        figures[name] = _timed(control, project, name, path, body, options.edges)
    last = figures["waves of 20"].pop("id")
    back = f"{project.path}/edgedeliveries/{last}/rollback"
    figures["rollback"] = _timed(control, project, "rollback", back, None, options.edges)
    began_s = time.monotonic()
    tried = project.ask("POST", f"{project.path}/edgetemplates/{template}/preview", aim)["items"]
    preview_s = round(time.monotonic() - began_s, 2)
    for one in figures.values():
        one.pop("id", None)
    return {
        "edges": options.edges,
        "workS": options.work,
        "contentBytes": len(content),
        "database": "postgresql" if options.database else "sqlite",
        "deliveries": figures,
        "previewS": preview_s,
        "previewReady": sum(row["state"] == "ready" for row in tried),
        "memoryMB": round(control.memory_bytes() / 1e6),
        "holds": all(
            one["seconds"] < SECONDS_MAX and one["succeeded"] == options.edges
            for one in figures.values()
        ),
    }


def adopt(project: Project, count: int) -> None:
    """All that wait, into the project."""
    rows: list[dict[str, Any]] = []
    while len(rows) < count:
        page = project.ask("GET", f"/edgeagents?state=pending&size=1000&offset={len(rows)}")
        rows += page["items"]
    for first in range(0, count, 200):
        items = [
            {"agentId": row["id"], "name": row["description"]} for row in rows[first : first + 200]
        ]
        given = {"orgId": project.org, "projectId": project.id, "labels": ["bench"], "items": items}
        results = project.ask("POST", "/edgeagents/adopt", given)["results"]
        assert all(not one["code"] for one in results), results


def _template() -> tuple[str, list[dict[str, str]]]:
    """Four drivers with fifty tags each."""
    names = [f"plc-{n}" for n in range(DRIVERS)]
    tags = [
        {"name": f"t{n}", "address": f"1!4{n + 1:04}", "attribute": 1, "type": 3}
        for n in range(TAGS)
    ]
    groups = [(name, f"g{n}") for name in names for n in range(GROUPS)]
    document = {
        "nodes": [{"name": name, "plugin": "Modbus TCP"} for name in names],
        "settings": [
            {"node": name, "params": {"host": "${host}", "port": "${port}"}} for name in names
        ],
        "groups": [{"driver": name, "group": group, "interval": 1000} for name, group in groups],
        "tags": [{"driver": name, "group": group, "tags": tags} for name, group in groups],
    }
    return json.dumps(document), [{"name": "host"}, {"name": "port", "kind": "number"}]


def _timed(
    control: ControlPlane, project: Project, name: str, path: str, body: Any, count: int
) -> dict[str, Any]:
    """From the request to the last result."""
    cpu_s, began_s = control.cpu_s(), time.monotonic()
    delivery = project.ask("POST", path, body)["id"]
    while True:
        row = project.ask("GET", f"{project.path}/edgedeliveries/{delivery}")
        if row["endedAt"]:
            break
        time.sleep(LOOK_S)
    found = {
        "id": delivery,
        "seconds": round(time.monotonic() - began_s, 2),
        "cpuMsPerTarget": round(1000 * (control.cpu_s() - cpu_s) / count, 1),
        "waves": row["waves"],
        "succeeded": row["counts"].get("succeeded", 0),
    }
    say(f"  {name:12} {found['seconds']:6.2f} s, {found['succeeded']} of {count}, "
         f"{found['cpuMsPerTarget']} ms CPU each")  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main())
