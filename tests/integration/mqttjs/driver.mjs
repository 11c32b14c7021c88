// Drives MQTT.js clients, told apart by number: a command a line on stdin, an event a line on stdout.
import readline from "node:readline";
import mqtt from "mqtt";

const clients = new Map();

function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function connect({ client: number, port, clientId, level, clean, will }) {
  return new Promise((resolve, reject) => {
    const client = mqtt.connect({
      host: "127.0.0.1",
      port,
      clientId,
      clean,
      protocolVersion: level,
      reconnectPeriod: 0,
      will: will ? { ...will, qos: 1, retain: false } : undefined,
      properties: level === 5 && !clean ? { sessionExpiryInterval: 60 } : undefined,
    });
    clients.set(number, client);
    client.on("message", (topic, payload, packet) =>
      tell({
        event: "message",
        client: number,
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
  subscribe: async ({ client, filter, qos }) => {
    const [granted] = await clients.get(client).subscribeAsync(filter, { qos });
    return { granted: granted.qos };
  },
  publish: ({ client, topic, payload, qos, retain }) =>
    clients
      .get(client)
      .publishAsync(topic, Buffer.from(payload, "hex"), { qos, retain })
      .then(() => ({})),
  disconnect: ({ client }) => clients.get(client).endAsync().then(() => ({})),
  drop: ({ client }) => {
    clients.get(client).stream.destroy();
    return clients.get(client).endAsync(true).then(() => ({}));
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
