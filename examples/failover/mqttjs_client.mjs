// An MQTT.js client that knows several addresses and goes to the next when one is lost.
//
//     node mqttjs_client.mjs 192.0.2.11:1883 192.0.2.12:1883
//
// Subscribes to `demo/#` and prints what arrives. For TLS write `protocol: "mqtts"` and give the
// ports of TLS listeners and `ca: fs.readFileSync("ca.pem")`.
import mqtt from "mqtt";

const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 30_000;

const addresses = process.argv.slice(2);
// Clients that begin at different addresses spread over the nodes.
const first = Math.floor(Math.random() * addresses.length);
const servers = [...addresses.slice(first), ...addresses.slice(0, first)].map((address) => {
  const [host, port] = address.split(":");
  return { host, port: Number(port), protocol: "mqtt" };
});

// With `servers` MQTT.js takes the next one at each attempt.
const client = mqtt.connect({
  servers,
  clientId: "failover-mqttjs",
  protocolVersion: 5,
  keepalive: 30,
  connectTimeout: 10_000,
  reconnectPeriod: WAIT_MS_MIN,
});

let failures = 0;

client.on("connect", () => {
  failures = 0;
  client.options.reconnectPeriod = WAIT_MS_MIN;
  // After every connect: the next node may not know our session.
  client.subscribe("demo/#", { qos: 1 });
  const { host, port } = client.options;
  console.log("connected to", `${host}:${port}`);
});

client.on("message", (topic, payload) => console.log("received", topic, payload.toString()));

client.on("close", () => {
  failures += 1;
  // When every address has failed wait longer each time, by chance, so that a fleet does not come
  // back all at once.
  const rounds = Math.floor(failures / servers.length);
  const longest = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** rounds);
  client.options.reconnectPeriod = WAIT_MS_MIN + Math.random() * (longest - WAIT_MS_MIN);
});

client.on("error", (error) => console.log("error", error.message));
