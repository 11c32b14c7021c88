/** The organization and project whose workbench is shown: in the address, and remembered. */
import { useEffect } from "react";
import { matchPath, useLocation, useParams } from "react-router";

import { useGet } from "@console/api/hooks";
import type { ProjectRow } from "@console/api/shapes";

export interface Place {
  org: string;
  project: string;
}

// More than there can be.
const PROJECTS_MAX = 1000;
const KEY = "rookery.console.place";

export function clustersPath({ org, project }: Place): string {
  return `/w/${encodeURIComponent(org)}/${encodeURIComponent(project)}/clusters`;
}

/** Of a page of the workbench. */
export function usePlace(): Place {
  const { org = "", project = "" } = useParams();
  return { org, project };
}

function remembered(): Place | null {
  try {
    const text = localStorage.getItem(KEY);
    return text === null ? null : (JSON.parse(text) as Place);
  } catch {
    return null;
  }
}

function remember(place: Place): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(place));
  } catch {
    // then the first project is shown the next time
  }
}

interface Places {
  /** All that may be seen; undefined until they are known. */
  projects: ProjectRow[] | undefined;
  /** Where the workbench is, or was last. */
  current: ProjectRow | undefined;
}

export function usePlaces(): Places {
  const { pathname } = useLocation();
  const answer = useGet("/projects", { query: { size: PROJECTS_MAX, sort: "name", order: "asc" } });
  const params = matchPath("/w/:org/:project/*", pathname)?.params;
  const projects = answer.data?.items;
  const wanted = params?.project ?? remembered()?.project;
  const found = projects?.find(({ id }) => id === wanted);
  const current = found ?? (params === undefined ? projects?.[0] : undefined);
  useEffect(() => {
    if (params !== undefined && found !== undefined) {
      remember({ org: found.orgId, project: found.id });
    }
  });
  return { projects, current };
}
