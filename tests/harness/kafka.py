"""A Kafka broker of a test's own: one node in KRaft mode, which keeps its data over a restart."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.authority import Pair
from harness.downloads import fetched
from harness.ports import free_port

START_S = 120.0
STOP_S = 60.0
USERNAME = "rookery"
PASSWORD = "kafka secret"
_CLUSTER_ID = "cm9va2VyeS10ZXN0cy0xMQ"
_LOG4J = """
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %p %c %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""
# A node of its own, small and quick to start rather than fast.
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=CONTROLLER://127.0.0.1:{controller},PLAIN://127.0.0.1:{plain},SASL://127.0.0.1:{sasl}{tls}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL
inter.broker.listener.name=PLAIN
log.dirs={folder}/data
num.partitions=3
num.network.threads=2
num.io.threads=2
background.threads=2
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
controlled.shutdown.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=200
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
required user_{user}="{password}";
listener.name.sasl.scram-sha-256.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""
_TLS = """
ssl.keystore.type=PEM
ssl.keystore.location={file}
ssl.client.auth=none
"""


@dataclass
class KafkaBroker:
    """One broker. Its ports stay over a restart."""

    folder: Path
    pair: Pair | None = None
    plain_port: int = field(default_factory=free_port)
    sasl_port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[str] | None = None

    @property
    def hosts(self) -> str:
        return f"127.0.0.1:{self.plain_port}"

    @property
    def sasl_hosts(self) -> str:
        return f"127.0.0.1:{self.sasl_port}"

    @property
    def tls_hosts(self) -> str:
        return f"localhost:{self.tls_port}"

    def format(self) -> None:
        """Make its files, once."""
        (self.folder / "log4j2.properties").write_text(_LOG4J)
        text = _PROPERTIES.format(
            controller=free_port(),
            plain=self.plain_port,
            sasl=self.sasl_port,
            tls=f",TLS://localhost:{self.tls_port}" if self.pair else "",
            folder=self.folder,
            user=USERNAME,
            password=PASSWORD,
        )
        if self.pair is not None:
            store = self.folder / "store.pem"
            store.write_text(self.pair.key.read_text() + self.pair.cert.read_text())
            text += _TLS.format(file=store)
        (self.folder / "server.properties").write_text(text)
        users: list[str] = []
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            users += ["--add-scram", f"{mechanism}=[name={USERNAME},password={PASSWORD}]"]
        arguments = ["format", "-t", _CLUSTER_ID, "-c", str(self._properties), *users]
        command = self._java("kafka.tools.StorageTool", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_S)
        if done.returncode != 0:
            raise RuntimeError(f"Kafka's storage cannot be made:\n{done.stdout}{done.stderr}")

    def start(self) -> None:
        """Start it and wait until it says that it serves."""
        process = subprocess.Popen(
            self._java("kafka.Kafka", str(self._properties)),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._follow, args=(process, started), daemon=True).start()
        try:
            said = started.get(timeout=START_S)
        except queue.Empty:
            said = None
        if said is None:
            process.kill()
            process.wait()
            raise RuntimeError(f"Kafka did not start:\n{self.log}")
        self._process = process

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it; its data stays. May be called twice."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text(errors="replace")[-4000:] if file.exists() else ""

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _java(self, main: str, *arguments: str) -> list[str]:
        small = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        log = f"-Dlog4j2.configurationFile={self.folder}/log4j2.properties"
        jars = os.path.join(fetched("kafka"), "*")  # noqa: PTH118 - Java's own wildcard
        return ["java", *small, "-Xshare:auto", log, "-cp", jars, main, *arguments]

    def _follow(
        self, process: subprocess.Popen[str], started: queue.SimpleQueue[str | None]
    ) -> None:
        assert process.stdout is not None
        with process.stdout, (self.folder / "log").open("a") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                if "Kafka Server started" in line:
                    started.put(line)
        started.put(None)


@contextmanager
def kafka_broker(folder: Path, pair: Pair | None = None) -> Iterator[KafkaBroker]:
    """Run one; with a certificate it listens with TLS, too."""
    broker = KafkaBroker(folder, pair)
    broker.format()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop(signal.SIGKILL)
