import type { IClientOptions, IDisconnectPacket, IPublishPacket, MqttClient } from "mqtt";
import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { showBytes } from "@/lib/payload";

export type ConnectionState = "disconnected" | "connecting" | "connected";

export interface LoggedMessage {
  id: number;
  direction: "in" | "out";
  topic: string;
  qos: number;
  retain: boolean;
  payload: string;
  at: number;
}

export interface ConnectOptions {
  url: string;
  clientId: string;
  username: string;
  password: string;
  version: 4 | 5;
  clean: boolean;
}

export interface PublishOptions {
  topic: string;
  payload: string;
  qos: 0 | 1 | 2;
  retain: boolean;
}

export interface Mqtt {
  state: ConnectionState;
  error: string | null;
  filters: string[];
  messages: LoggedMessage[];
  connect: (options: ConnectOptions) => Promise<void>;
  disconnect: () => void;
  subscribe: (filter: string, qos: 0 | 1 | 2) => void;
  unsubscribe: (filter: string) => void;
  publish: (options: PublishOptions) => void;
  clear: () => void;
}

/** Older messages make room for newer ones. */
const MESSAGES_MAX = 200;
const CONNECT_TIMEOUT_MS = 10_000;
let ids = 0;

export function useMqtt(): Mqtt {
  const { t } = useTranslation("websocket");
  const client = useRef<MqttClient | null>(null);
  const [state, setState] = useState<ConnectionState>("disconnected");
  const [error, setError] = useState<string | null>(null);
  const [filters, setFilters] = useState<string[]>([]);
  const [messages, setMessages] = useState<LoggedMessage[]>([]);

  const log = useCallback((message: Omit<LoggedMessage, "id" | "at">) => {
    const entry = { ...message, id: ++ids, at: Date.now() };
    setMessages((shown) => [entry, ...shown].slice(0, MESSAGES_MAX));
  }, []);

  const disconnect = useCallback(() => {
    client.current?.end(true);
    client.current = null;
    setState("disconnected");
    setFilters([]);
  }, []);

  useEffect(() => disconnect, [disconnect]);

  const failed = (problem: unknown) =>
    setError(problem instanceof Error ? problem.message : String(problem));

  const connect = async (options: ConnectOptions) => {
    disconnect();
    setError(null);
    setState("connecting");
    // The library is large, and only this page needs it.
    let made: MqttClient;
    try {
      const { default: mqtt } = await import("mqtt");
      made = mqtt.connect(options.url, connectionOf(options));
    } catch (problem) {
      // Not an address, or one that this browser may not open.
      setState("disconnected");
      setError(`${t("unreached", { url: options.url })} ${String(problem)}`);
      return;
    }
    client.current = made;
    let wasConnected = false;
    made.on("connect", () => {
      wasConnected = true;
      setState("connected");
    });
    let reason = "";
    made.on("packetreceive", (packet) => {
      // The broker's own words say more than the code that the library names.
      if (packet.cmd === "connack") reason = packet.properties?.reasonString ?? "";
      if (packet.cmd === "disconnect") reason = wordsOf(packet);
    });
    made.on("error", (problem) => {
      setError(reason || problem.message || options.url);
      made.end(true);
    });
    made.on("close", () => {
      if (client.current !== made) return;
      client.current = null;
      // A browser does not tell pages why a connection did not come about.
      const why = wasConnected ? t("lost", { reason }) : t("unreached", { url: options.url });
      setError((known) => known ?? why);
      setState("disconnected");
      setFilters([]);
    });
    made.on("message", (topic, payload, packet: IPublishPacket) =>
      log({
        direction: "in",
        topic,
        qos: packet.qos,
        retain: packet.retain,
        payload: showBytes(payload).shown,
      }),
    );
  };

  return {
    state,
    error,
    filters,
    messages,
    connect,
    disconnect,
    subscribe: (filter, qos) => {
      client.current
        ?.subscribeAsync(filter, { qos })
        .then(() => setFilters((held) => [...new Set([...held, filter])]))
        .catch(failed);
    },
    unsubscribe: (filter) => {
      client.current
        ?.unsubscribeAsync(filter)
        .then(() => setFilters((held) => held.filter((each) => each !== filter)))
        .catch(failed);
    },
    publish: ({ topic, payload, qos, retain }) => {
      client.current
        ?.publishAsync(topic, payload, { qos, retain })
        .then(() => log({ direction: "out", topic, qos, retain, payload }))
        .catch(failed);
    },
    clear: () => setMessages([]),
  };
}

function wordsOf({ properties, reasonCode = 0 }: IDisconnectPacket): string {
  return properties?.reasonString ?? `0x${reasonCode.toString(16).padStart(2, "0")}`;
}

function connectionOf(options: ConnectOptions): IClientOptions {
  return {
    clientId: options.clientId,
    protocolVersion: options.version,
    clean: options.clean,
    // A wrong password would otherwise be tried every second.
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // The other kind runs in a worker made of text, which the page's policy forbids.
    timerVariant: "native",
    ...(options.username !== "" && { username: options.username }),
    ...(options.password !== "" && { password: options.password }),
  };
}
