"""An edge gateway at its size: 10,000 tags of 100 Modbus devices, every second, on to MQTT.

    .venv/bin/python bench/edge.py [--drivers 100] [--tags 100] [--seconds 60] [--out NAME]

The devices are pymodbus' own servers and the broker is Rookery's, all in another process; what is measured
is the process of the gateway: CPU (user and system, all threads), memory, cycles that were missed, messages
that arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

import rookery
from rookery.edge.model import Tag, TagType
from rookery.edge.service import EdgeService

HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
WARM_UP_S = 10


async def serve(drivers: int, tags: int) -> None:
    """The plant: devices, a broker, and what arrives there."""
    ports = []
    for number in range(drivers):
        values = [(number + one) % 65_536 for one in range(tags)]
        block = [SimData(0, values=values, datatype=DataType.REGISTERS)]
        server = ModbusTcpServer(SimDevice(1, simdata=block), address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        transport: Any = server.transport
        ports.append(transport.sockets[0].getsockname()[1])
    async with rookery.Broker() as broker, broker.subscribe("#", queue_max=100_000) as messages:
        print(json.dumps({"modbus": ports, "mqtt": broker.port}), flush=True)
        arrived = values = 0

        async def count() -> None:
            nonlocal arrived, values
            async for message in messages:
                arrived += 1
                values += len(json.loads(message.payload)["values"])

        counting = asyncio.create_task(count())
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps({"messages": arrived, "values": values}), flush=True)
        counting.cancel()


async def gateway(folder: Path, plant: dict[str, Any], tags: int) -> None:
    """The gateway, until its input ends; a line in, figures out."""
    service = EdgeService(folder)
    await service.open()
    setting = {"host": "127.0.0.1", "port": plant["mqtt"], "qos": 1}
    await service.nodes.add("mqtt", "MQTT", setting)
    made = [
        Tag(name=f"tag{one}", type=TagType.UINT16, address=f"1!4{one + 1:05d}")
        for one in range(tags)
    ]
    for number, port in enumerate(plant["modbus"]):
        name = f"plc{number}"
        await service.nodes.add(name, "Modbus TCP", {"host": "127.0.0.1", "port": port})
        await service.tags.add_groups(name, [("all", 1000, made)])
        await service.subscriptions.add("mqtt", name, "all")
    print(json.dumps("ready"), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        drivers = [one for one in service.metrics() if one.groups]
        figures = {
            "cycles": sum(one.groups[0].cycles_total for one in drivers),
            "missed": sum(one.figures["missed_cycles_total"] for one in drivers),
            "errors": sum(one.figures["tag_read_errors_total"] for one in drivers),
            "reads": sum(one.figures["tag_reads_total"] for one in drivers),
            "dropped": service.metrics_of("mqtt").figures["dropped_msgs_total"],
        }
        print(json.dumps(figures), flush=True)
    await service.close()


async def ask(process: asyncio.subprocess.Process) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    return json.loads(await process.stdout.readline())


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / (1 << 20)


async def start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, __file__, *arguments, stdin=pipe, stdout=pipe
    )


async def measure(drivers: int, tags: int, seconds: int) -> dict[str, Any]:
    plant_process = await start("--plant", "--drivers", str(drivers), "--tags", str(tags))
    assert plant_process.stdout is not None
    plant = (await plant_process.stdout.readline()).decode()
    with tempfile.TemporaryDirectory() as folder:
        edge = await start("--gateway", plant, "--folder", folder, "--tags", str(tags))
        assert edge.stdout is not None
        await edge.stdout.readline()
        await asyncio.sleep(WARM_UP_S)
        before, arrived = await ask(edge), await ask(plant_process)
        began, cpu, memory = time.monotonic(), cpu_s(edge.pid), memory_mib(edge.pid)
        await asyncio.sleep(seconds)
        took, used = time.monotonic() - began, cpu_s(edge.pid) - cpu
        grown = memory_mib(edge.pid)
        after, arrived_after = await ask(edge), await ask(plant_process)
        for process in (edge, plant_process):
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()
    return {
        "drivers": drivers,
        "tags": drivers * tags,
        "seconds": round(took, 1),
        "cpu_share": round(used / took, 3),
        "memory_mib_before": round(memory, 1),
        "memory_mib_after": round(grown, 1),
        "reads_per_s": round((after["reads"] - before["reads"]) / took),
        "messages_per_s": round((arrived_after["messages"] - arrived["messages"]) / took, 1),
        "values_per_s": round((arrived_after["values"] - arrived["values"]) / took),
        "missed_cycles": after["missed"] - before["missed"],
        "read_errors": after["errors"] - before["errors"],
        "dropped": after["dropped"] - before["dropped"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drivers", type=int, default=100)
    parser.add_argument("--tags", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--out", default="")
    parser.add_argument("--plant", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--gateway", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plant:
        asyncio.run(serve(options.drivers, options.tags))
    elif options.gateway:
        asyncio.run(gateway(options.folder, json.loads(options.gateway), options.tags))
    else:
        found = asyncio.run(measure(options.drivers, options.tags, options.seconds))
        print(json.dumps(found, indent=2))
        if options.out:
            name = f"{datetime.now(UTC):%Y-%m-%d}-{options.out}.json"
            (HERE / "results" / name).write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
