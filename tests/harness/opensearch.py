"""An OpenSearch of a test's own, which speaks Elasticsearch's interface: one node, without TLS."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

from harness.databases import OTHER_USER, Server, running, server_folder
from harness.downloads import fetched
from harness.ports import free_port

_LOG4J = """
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.node.name = org.opensearch.node.Node
logger.node.level = info
"""
# What its own script gives, as far as it matters here; without the script it starts in half the time.
_JAVA = (
    *("-Xms128m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    *("-Dio.netty.noUnsafe=true", "-Dio.netty.recycler.maxCapacityPerThread=0"),
    *("-Dlog4j.shutdownHookEnabled=false", "-Dlog4j2.disable.jmx=true"),
    *("-Djava.locale.providers=SPI,COMPAT", "-Dopensearch.distribution.type=zip"),
)


@contextmanager
def opensearch_server() -> Iterator[Server]:
    """Run one. It keeps its data over a restart."""
    (archive,) = fetched("opensearch").glob("*.zip")
    with server_folder() as folder:
        with zipfile.ZipFile(archive) as files:
            files.extractall(folder)
        (home,) = folder.glob("opensearch-*")
        home.chmod(0o755)
        config = folder / "config"  # it writes a file of its own there
        config.mkdir()
        (config / "opensearch.yml").touch()
        (config / "log4j2.properties").write_text(_LOG4J)
        if OTHER_USER:
            shutil.chown(config, OTHER_USER)
        port = free_port()
        settings = {
            "node.name": "opensearch",
            "path.data": folder / "data",
            "path.logs": folder / "logs",
            "network.host": "127.0.0.1",
            "http.port": port,
            "transport.port": free_port(),
            "discovery.type": "single-node",
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        command = [
            "java",
            *_JAVA,
            f"-Djava.io.tmpdir={folder}",
            f"-Dopensearch.path.home={home}",
            f"-Dopensearch.path.conf={config}",
            "-cp",
            f"{home / 'lib'}/*",
            "org.opensearch.bootstrap.OpenSearch",
            *(f"-E{name}={value}" for name, value in settings.items()),
        ]
        with running(command, folder, port) as server:
            yield server
