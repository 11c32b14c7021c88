/** Asks again for what a page shows of one cluster as soon as that has changed. */
import { useQueryClient } from "@tanstack/react-query";

import { AGAIN, useEvents } from "@console/api/events";
import type { ClusterRow } from "@console/api/shapes";

import type { Place } from "./place";

const CLUSTERS = "/orgs/{org}/projects/{project}/clusters";

/** `paths` are asked for again, as the document writes them. */
export function useClusterNews(
  { org, project }: Place,
  cluster: string,
  paths: readonly string[],
): boolean {
  const client = useQueryClient();
  return useEvents(`${CLUSTERS}/events`, { org, project }, (event, data) => {
    const isMine = event === "cluster" && (data as ClusterRow).id === cluster;
    if (!isMine && event !== AGAIN) return;
    void client.invalidateQueries({
      predicate: ({ queryKey }) => paths.includes(String(queryKey[0])),
    });
  });
}
