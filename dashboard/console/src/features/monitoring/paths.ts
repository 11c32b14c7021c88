/** Where it is asked what runs in the clusters of a project. */
const PROJECT = "/orgs/{org}/projects/{project}";
export const MONITORING = `${PROJECT}/monitoring` as const;
export const INTEGRATIONS = `${PROJECT}/monitoring/integrations` as const;
export const EDGE_MONITORING = `${PROJECT}/monitoring/edge` as const;
export const CLIENTS = `${PROJECT}/clients` as const;
