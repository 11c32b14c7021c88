// Drives one MQTT.js client: a command a line on stdin, an event a line on stdout.
import readline from "node:readline";
import mqtt from "mqtt";

let client;

function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function connect({ port, clientId, level, clean, will }) {
  return new Promise((resolve, reject) => {
    client = mqtt.connect({
      host: "127.0.0.1",
      port,
      clientId,
      clean,
      protocolVersion: level,
      reconnectPeriod: 0,
      will: will ? { ...will, qos: 1, retain: false } : undefined,
      properties: level === 5 && !clean ? { sessionExpiryInterval: 60 } : undefined,
    });
    client.on("message", (topic, payload, packet) =>
      tell({
        event: "message",
        topic,
        payload: payload.toString("hex"),
        qos: packet.qos,
        retain: packet.retain,
      }),
    );
    client.once("connect", (packet) => resolve({ sessionPresent: packet.sessionPresent }));
    client.once("error", reject);
    client.on("error", () => {});
  });
}

const commands = {
  connect,
  subscribe: async ({ filter, qos }) => {
    const [granted] = await client.subscribeAsync(filter, { qos });
    return { granted: granted.qos };
  },
  publish: ({ topic, payload, qos, retain }) =>
    client.publishAsync(topic, Buffer.from(payload, "hex"), { qos, retain }).then(() => ({})),
  disconnect: () => client.endAsync().then(() => ({})),
  drop: () => {
    client.stream.destroy();
    return client.endAsync(true).then(() => ({}));
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { do: name, ...rest } = JSON.parse(line);
  try {
    tell({ event: "done", ...(await commands[name](rest)) });
  } catch (error) {
    tell({ event: "failed", error: String(error) });
  }
}
