/** What the pages of cluster links have in common. */
import type { ClusterLink } from "@/api/shapes";

export const PATH = "/cluster/links";
/** Reaches a link by whatever name. */
export const ONE = "/cluster/links/link/{name}";
export const REFRESH = [PATH, ONE] as const;
export const EVERY_MS = 5000;

export function addressOf(name: string): string {
  return `/cluster-links/${encodeURIComponent(name)}`;
}

export function isEncrypted(row: ClusterLink): boolean {
  const tls = row["ssl"];
  const isOn = typeof tls === "object" && tls !== null && "enable" in tls && tls.enable === true;
  return isOn || row.server.toLowerCase().startsWith("mqtts://");
}

/** A figure of all nodes: routes are the same on each, messages add up. */
export function most(row: ClusterLink, name: "routes" | "sent_routes"): number {
  return Math.max(0, ...row.node_status.map((node) => node[name]));
}

export function sum(row: ClusterLink, name: "queuing" | "stored" | "received" | "rate"): number {
  return row.node_status.reduce((all, node) => all + node[name], 0);
}
