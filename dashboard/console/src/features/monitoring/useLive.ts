import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { useEvents } from "@console/api/events";
import type { Place } from "@console/components/place";
import { CLUSTERS } from "@console/components/clusterPaths";

import { INTEGRATIONS, MONITORING } from "./paths";

/** A project of many clusters has a report every moment: what is shown is asked for this often. */
const REST_MS = 3000;

/** Asks again when a cluster of the project was heard of. */
export function useLive({ org, project }: Place): void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [org, project],
  );
  useEvents(`${CLUSTERS}/events`, { org, project }, (event) => {
    if (event === "checklist" || timer.current !== undefined) return;
    const refresh = () => {
      void client.invalidateQueries({
        predicate: ({ queryKey }) => [MONITORING, INTEGRATIONS].includes(String(queryKey[0]) as never),
      });
    };
    refresh();
    timer.current = setTimeout(() => {
      timer.current = undefined;
      refresh();
    }, REST_MS);
  });
}
