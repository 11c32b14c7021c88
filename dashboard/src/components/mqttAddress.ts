import type { ListenerRow } from "@/api/shapes";

/** The kind of listener that a page reached as this one may use: a browser mixes no plain text into TLS. */
export function kindOfPage(): "ws" | "wss" {
  return window.location.protocol === "https:" ? "wss" : "ws";
}

/** Where a browser reaches the node's WebSocket listener, as the page itself was reached; none without one. */
export function addressOf(listeners: readonly ListenerRow[]): string | null {
  const kind = kindOfPage();
  const usable = listeners.filter(
    (row) => row.type === kind && row.enable && row.status?.running !== false,
  );
  const found = usable.find((row) => row.id === `${kind}:default`) ?? usable[0];
  if (found === undefined) return null;
  const port = portOf(found) ?? (kind === "wss" ? "8084" : "8083");
  return `${kind}://${window.location.hostname}:${port}/mqtt`;
}

function portOf(listener: ListenerRow): string | undefined {
  const port = /(\d+)$/.exec(listener.bind)?.[1];
  // 0 is any free port; which one it became is not in the bind address.
  return port === "0" ? undefined : port;
}
