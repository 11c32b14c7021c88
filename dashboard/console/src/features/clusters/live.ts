/** What the control plane tells of the clusters of a project is put where the pages show it. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";

import { AGAIN, useEvents } from "@console/api/events";
import type { CheckStep, ClusterDetail, ClusterRow, List } from "@console/api/shapes";
import type { Place } from "@console/components/place";

import { CHECKLIST, CLUSTER, CLUSTERS } from "./paths";

type Key = readonly [path?: string, values?: Record<string, string>];

/** `list` with the row in the place of the one before; the same list where it is not in it. */
export function replaced(list: List<ClusterRow>, row: ClusterRow): List<ClusterRow> {
  if (!list.items.some(({ id }) => id === row.id)) return list;
  return { ...list, items: list.items.map((each) => (each.id === row.id ? row : each)) };
}

function putCluster(client: QueryClient, row: ClusterRow): void {
  let isKnown = false;
  const lists = { predicate: ({ queryKey }: { queryKey: Key }) => queryKey[0] === CLUSTERS };
  client.setQueriesData<List<ClusterRow>>(lists as object, (list) => {
    if (list === undefined) return list;
    const next = replaced(list, row);
    isKnown ||= next !== list;
    return next;
  });
  client.setQueriesData<ClusterDetail>(ofOne(CLUSTER, row.id), (before) =>
    before === undefined ? before : { ...before, ...row },
  );
  // It may belong on the page that is shown.
  if (!isKnown) void client.invalidateQueries({ queryKey: [CLUSTERS] });
}

function refreshAll(client: QueryClient): void {
  void client.invalidateQueries({
    predicate: ({ queryKey }) => String(queryKey[0]).startsWith(CLUSTERS),
  });
}

function ofOne(path: string, id: string): object {
  return {
    predicate: ({ queryKey }: { queryKey: Key }) =>
      queryKey[0] === path && queryKey[1]?.["cluster"] === id,
  };
}

/** Keeps what is shown of the clusters up to date; answers whether it does at the moment. */
export function useLiveClusters({ org, project }: Place): boolean {
  const client = useQueryClient();
  return useEvents(`${CLUSTERS}/events`, { org, project }, (event, data) => {
    if (event === "cluster") putCluster(client, data as ClusterRow);
    if (event === "removed" || event === AGAIN) refreshAll(client);
    if (event === "checklist") {
      const { clusterId, steps } = data as { clusterId: string; steps: CheckStep[] };
      client.setQueriesData(ofOne(CHECKLIST, clusterId), () => ({ steps }));
    }
  });
}
