/** Connectors, actions and sources: what is the same for all three. */
import type { Integrated } from "@/api/shapes";
import type { Tree } from "@/lib/changes";

export type BridgeKind = "actions" | "sources";
export type Kind = "connectors" | BridgeKind;

/** Asked anew after a change of any of them: their states hang together. */
export const REFRESH = ["/connectors", "/actions", "/sources", "/rules"] as const;

/** How often a page asks again what the state is. */
export const EVERY_MS = 5000;

export function idOf(row: Pick<Integrated, "type" | "name">): string {
  return `${row.type}:${row.name}`;
}

export function addressOf(kind: Kind | "rules", id: string): string {
  return `/${kind}/${encodeURIComponent(id)}`;
}

/** The part of `row` that `schema` describes: what the node says beside it is not sent back. */
export function settingsOf(row: Tree, names: readonly string[]): Tree {
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name)));
}

/** The type in an id such as `http:notify`. */
export function typeIn(id: string): string {
  return id.slice(0, Math.max(id.indexOf(":"), 0));
}

export function nameIn(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}
