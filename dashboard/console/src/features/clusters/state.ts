import type { ClusterRow } from "@console/api/shapes";

export const STATES = ["created", "registering", "running", "abnormal", "deleting"] as const;

/** Whether an agent holds the entry, so that another would be refused. */
export function isOccupied(cluster: ClusterRow): boolean {
  return cluster.agent !== undefined && cluster.agent !== null;
}

export function canEnter(cluster: ClusterRow): boolean {
  return isOccupied(cluster) && ["running", "abnormal"].includes(cluster.state);
}

/** How much of its limit is used, in percent; undefined where there is none. */
export function usedShare({ connections, connectionLimit }: ClusterRow): number | undefined {
  if (typeof connections !== "number" || typeof connectionLimit !== "number") return undefined;
  if (connectionLimit <= 0) return undefined;
  return Math.min(100, (connections / connectionLimit) * 100);
}
