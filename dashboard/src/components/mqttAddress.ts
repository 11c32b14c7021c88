import type { ListenerRow } from "@/api/shapes";

/** Where a browser reaches the node's WebSocket listener, as the page itself was reached. */
export function addressOf(listeners: readonly ListenerRow[]): string {
  const isSecure = window.location.protocol === "https:";
  const kind = isSecure ? "wss" : "ws";
  const found =
    listeners.find((row) => row.id === `${kind}:default`) ??
    listeners.find((row) => row.type === kind);
  const port = portOf(found) ?? (isSecure ? "8084" : "8083");
  return `${kind}://${window.location.hostname}:${port}/mqtt`;
}

function portOf(listener: ListenerRow | undefined): string | undefined {
  const port = /(\d+)$/.exec(listener?.bind ?? "")?.[1];
  // 0 is any free port; which one it became is not in the bind address.
  return port === "0" ? undefined : port;
}
