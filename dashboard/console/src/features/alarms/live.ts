/** What the control plane tells of the alarms of a project is put where the pages show it. */
import { useQueryClient } from "@tanstack/react-query";

import { AGAIN, useEvents } from "@console/api/events";
import type { AlarmSummary } from "@console/api/shapes";
import type { Place } from "@console/components/place";

import { ALARMS, DELIVERIES, SUMMARY } from "./paths";

// What changes by itself; what people set does not.
const LISTS = new Set<unknown>([ALARMS, DELIVERIES]);

export function useLiveAlarms({ org, project }: Place): boolean {
  const client = useQueryClient();
  return useEvents(`${ALARMS}/events`, { org, project }, (event, data) => {
    if (event !== "alarms" && event !== AGAIN) return;
    if (event === "alarms") {
      client.setQueryData<AlarmSummary>([SUMMARY, { org, project }, {}], data as AlarmSummary);
    }
    void client.invalidateQueries({ predicate: ({ queryKey }) => LISTS.has(queryKey[0]) });
  });
}
