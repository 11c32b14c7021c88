import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { ClientRow } from "@/api/shapes";
import { KeyValues } from "@/components/KeyValues";
import { StatusBadge } from "@/components/StatusBadge";
import { formatAny, formatBytes, formatNumber, formatTime } from "@/lib/format";

import { versionOf } from "./version";

const TIMES = new Set(["connected_at", "disconnected_at", "created_at"]);
const BYTES = new Set(["recv_oct", "send_oct"]);

const CARDS = [
  {
    name: "connection",
    fields: [
      "connected",
      "username",
      "node",
      "ip_address",
      "port",
      "listener",
      "proto_ver",
      "keepalive",
      "connected_at",
      "disconnected_at",
      "is_bridge",
    ],
  },
  {
    name: "session",
    fields: [
      "clean_start",
      "expiry_interval",
      "created_at",
      "is_expired",
      "subscriptions_cnt",
      "subscriptions_max",
      "inflight_cnt",
      "inflight_max",
      "mqueue_len",
      "mqueue_max",
      "mqueue_dropped",
      "awaiting_rel_cnt",
      "awaiting_rel_max",
      "mountpoint",
      "durable",
    ],
  },
  {
    name: "traffic",
    fields: [
      "recv_msg",
      "recv_msg.qos0",
      "recv_msg.qos1",
      "recv_msg.qos2",
      "recv_msg.dropped",
      "recv_pkt",
      "recv_oct",
      "send_msg",
      "send_msg.qos0",
      "send_msg.qos1",
      "send_msg.qos2",
      "send_msg.dropped",
      "send_msg.dropped.expired",
      "send_msg.dropped.queue_full",
      "send_msg.dropped.too_large",
      "send_pkt",
      "send_oct",
    ],
  },
] as const;

/** Everything the node tells about a client, under EMQX's names where no other is needed. */
export function ClientFacts({ client }: { client: ClientRow }): ReactElement {
  const { t, i18n } = useTranslation("clients");
  const shown = (field: string): ReactNode => {
    const value = client[field];
    if (field === "connected") {
      return <StatusBadge state={value === true ? "connected" : "disconnected"} />;
    }
    if (field === "proto_ver") {
      return `${client.proto_name ?? ""} ${versionOf(client.proto_ver)}`.trim();
    }
    if (TIMES.has(field)) return formatTime(value);
    if (BYTES.has(field)) return formatBytes(value);
    if (typeof value === "number" && field !== "port") return formatNumber(value, i18n.language);
    if (typeof value === "boolean") return t(value ? "yes" : "no");
    return formatAny(value);
  };
  return (
    <div className="fact-columns">
      {CARDS.map((card) => (
        <KeyValues
          key={card.name}
          title={t(`card.${card.name}`)}
          rows={card.fields
            .filter((field) => client[field] !== undefined)
            .map((field) => [t(`fact.${field.replaceAll(".", "_")}`), shown(field)] as const)}
        />
      ))}
    </div>
  );
}
