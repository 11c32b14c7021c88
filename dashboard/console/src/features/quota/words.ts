/** Where the quota is asked for, and how its states look. */
import type { QuotaDetail } from "@console/api/shapes";

export const POOL = "/quota";
export const LIMITS = "/quota/clusters";
export const SETTINGS = "/configuration/quota";
export const QUOTA = "/orgs/{org}/projects/{project}/clusters/{cluster}/quota";

export const HOLD_COLORS: Record<QuotaDetail["state"], string> = {
  waiting: "gray",
  applying: "cyan",
  inForce: "teal",
  failed: "red",
  undecided: "orange",
  noneLeft: "orange",
  notPermitted: "gray",
  unmanaged: "gray",
};

/** Whether it has to be confirmed: clients that are connected now would not all come back. */
export function isShort(limit: number, quota: QuotaDetail): boolean {
  return quota.connections !== null && limit < quota.connections;
}

export type Fault = "empty" | "one" | "total";

/** Why a limit cannot be set, as the control plane would say. */
export function faultOf(limit: number | null, quota: QuotaDetail): Fault | null {
  if (limit === null || !Number.isInteger(limit) || limit < 1) return "empty";
  if (quota.perCluster !== null && limit > quota.perCluster) return "one";
  if (quota.left !== null && limit > quota.left) return "total";
  return null;
}
