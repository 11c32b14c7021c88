/** The states of a command, and what follows from them for a page. */
import type { CommandRow } from "@console/api/shapes";

export const COMMANDS = "/orgs/{org}/projects/{project}/clusters/{cluster}/commands";

export const STATES = [
  "queued",
  "sent",
  "acknowledged",
  "running",
  "succeeded",
  "failed",
  "expired",
  "cancelled",
] as const;

/** What can be asked for on the page. */
export const ASKED = [
  "rule.start",
  "rule.stop",
  "connector.start",
  "connector.stop",
  "action.start",
  "action.stop",
  "source.start",
  "source.stop",
] as const;

export const KINDS = ["quota.set", "quota.release", "unregister", ...ASKED] as const;

export const COLORS: Record<CommandRow["state"], string> = {
  queued: "gray",
  sent: "cyan",
  acknowledged: "cyan",
  running: "cyan",
  succeeded: "teal",
  failed: "red",
  expired: "orange",
  cancelled: "gray",
};

/** When it came to be as it is. */
export function timeOf(row: CommandRow): string {
  return row.finishedAt ?? row.startedAt ?? row.acknowledgedAt ?? row.sentAt ?? row.createdAt;
}

/** Whether it can be taken back; what belongs to something else is changed there. */
export function mayCancel({ state, kind }: CommandRow): boolean {
  const isOpen = state === "queued" || state === "sent";
  return isOpen && (ASKED as readonly string[]).includes(kind);
}
