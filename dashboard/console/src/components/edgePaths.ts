/** Where agents of edge services, and the edge services of a project, are asked for. */
import type { Place } from "./place";

export const EDGE_AGENTS = "/edgeagents";
export const EDGE_AGENT = `${EDGE_AGENTS}/{agent}` as const;
export const ENROLMENT = `${EDGE_AGENTS}/enrolment` as const;
export const EDGES = "/orgs/{org}/projects/{project}/edgeservices";
export const EDGE = `${EDGES}/{service}` as const;
export const EDGE_METRICS = `${EDGE}/metrics` as const;
export const EDGE_CONNECTION = `${EDGE}/connection` as const;
export const RULES = "/configuration/edge-adoption-rules";
/** Everything below changes when an agent is adopted or let go. */
export const EDGE_REFRESH = [EDGE_AGENTS, EDGES];
/** How often lists that nobody tells of are asked again. */
export const EVERY_MS = 5000;
export const NAME_MAX = 50;

export function edgesPath({ org, project }: Place): string {
  return `/w/${encodeURIComponent(org)}/${encodeURIComponent(project)}/edges`;
}

export function edgePath(place: Place, id: string): string {
  return `${edgesPath(place)}/${encodeURIComponent(id)}`;
}

/** Its lines among the logs of the project. */
export function edgeLogsPath({ org, project }: Place, id: string): string {
  const query = new URLSearchParams({ cluster: id });
  return `/w/${encodeURIComponent(org)}/${encodeURIComponent(project)}/logs?${query.toString()}`;
}
