/** Where the clusters of a project are asked for. */
export const CLUSTERS = "/orgs/{org}/projects/{project}/clusters";
export const CLUSTER = `${CLUSTERS}/{cluster}` as const;
export const CHECKLIST = `${CLUSTER}/checklist` as const;
export const INSTRUCTIONS = `${CLUSTER}/setup-instructions` as const;

/** What changes when a cluster comes, goes or moves. */
export const REFRESH = ["/orgs/{org}/projects", "/projects"];
