/** Listens on the node for a moment, as any client does, for messages to test a rule with. */
import type { IPublishPacket } from "mqtt";

import type { Sample } from "./events";

export interface Captured {
  id: number;
  topic: string;
  payload: string;
  sample: Sample;
}

export interface Listening {
  url: string;
  filter: string;
  username: string;
  password: string;
  signal: AbortSignal;
  onSubscribed: () => void;
  onMessage: (message: Captured) => void;
}

/** Enough to choose from, and no longer than somebody waits. */
export const MESSAGES_MAX = 10;
export const LISTEN_MS = 60_000;
/** A node that is busy answers late, and nobody is helped by a refusal before that. */
const CONNECT_TIMEOUT_MS = 30_000;

let ids = 0;

/**
 * Resolves when enough came, when time is up, or when `signal` says so.
 *
 * @throws Error the node could not be reached or refused the client.
 */
export async function listen(wanted: Listening): Promise<void> {
  const { default: mqtt } = await import("mqtt");
  const client = mqtt.connect(wanted.url, {
    clientId: `dashboard_rule_${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(16) ?? ""}`,
    protocolVersion: 5,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // The other kind runs in a worker made of text, which the page's policy forbids.
    timerVariant: "native",
    ...(wanted.username !== "" && { username: wanted.username }),
    ...(wanted.password !== "" && { password: wanted.password }),
  });
  let count = 0;
  try {
    await new Promise<void>((done, failed) => {
      const timer = setTimeout(done, LISTEN_MS);
      wanted.signal.addEventListener("abort", () => done());
      let reason = "";
      client.on("packetreceive", (packet) => {
        // The broker's own words say more than the code that the library names.
        const isEnd = packet.cmd === "connack" || packet.cmd === "disconnect";
        if (isEnd) reason = packet.properties?.reasonString ?? "";
      });
      client.on("error", (problem) => failed(reason === "" ? problem : new Error(reason)));
      client.on("close", () => failed(new Error(reason || wanted.url)));
      client.on("connect", () => {
        client
          .subscribeAsync(wanted.filter, { qos: 0 })
          .then(wanted.onSubscribed)
          .catch(failed);
      });
      client.on("message", (topic, payload, packet) => {
        wanted.onMessage(captured(topic, payload, packet));
        count += 1;
        if (count >= MESSAGES_MAX) done();
      });
      wanted.signal.addEventListener("abort", () => clearTimeout(timer));
    });
  } finally {
    client.end(true);
  }
}

function captured(topic: string, bytes: Uint8Array, packet: IPublishPacket): Captured {
  ids += 1;
  const payload = new TextDecoder().decode(bytes);
  return { id: ids, topic, payload, sample: { topic, payload, qos: String(packet.qos) } };
}
