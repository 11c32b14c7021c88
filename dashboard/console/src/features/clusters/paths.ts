/** Where the clusters of a project are asked for. */
import { CLUSTER, CLUSTERS } from "@console/components/clusterPaths";

export { CLUSTER, CLUSTERS };
export const CHECKLIST = `${CLUSTER}/checklist` as const;
export const INSTRUCTIONS = `${CLUSTER}/setup-instructions` as const;
export const METRICS = `${CLUSTER}/metrics` as const;
export const HISTORY = `${CLUSTER}/events` as const;

/** What changes when a cluster comes, goes or moves. */
export const REFRESH = ["/orgs/{org}/projects", "/projects"];
