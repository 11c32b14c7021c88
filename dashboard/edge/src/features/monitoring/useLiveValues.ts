/** The values of a group, pushed as they are read. */
import { useCallback, useEffect, useState } from "react";

import { useEvents } from "@edge/api/events";
import type { LiveValue } from "@edge/api/shapes";

interface Pushed {
  timestamp: number;
  tags: LiveValue[];
}

interface Held {
  /** Of which group. */
  key: string;
  at: number | undefined;
  values: Record<string, LiveValue>;
}

export function useLiveValues(query: { node: string; group: string }, isOn: boolean) {
  const key = JSON.stringify(query);
  const [held, setHeld] = useState<Held>({ key, at: undefined, values: {} });
  useEffect(() => setHeld({ key, at: undefined, values: {} }), [key]);
  const take = useCallback(
    (event: string, data: unknown) => {
      if (event !== "values") return;
      const { timestamp, tags } = data as Pushed;
      const fresh = Object.fromEntries(tags.map((tag) => [tag.name, tag]));
      setHeld((before) => ({
        key,
        at: timestamp,
        values: before.key === key ? { ...before.values, ...fresh } : fresh,
      }));
    },
    [key],
  );
  const isLive = useEvents("/neuron/read/stream", {}, take, { query, isOn });
  return { isLive, at: held.at, values: held.key === key ? held.values : {} };
}
