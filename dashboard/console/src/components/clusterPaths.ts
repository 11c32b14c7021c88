/** Where clusters of a project are asked for. */
export const CLUSTERS = "/orgs/{org}/projects/{project}/clusters";
export const CLUSTER = `${CLUSTERS}/{cluster}` as const;
