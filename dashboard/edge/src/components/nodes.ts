/** Drivers and applications, as they are at the moment: the list is pushed, nobody asks again. */
import { useCallback } from "react";

import { queryClient } from "@/lib/query";
import { useEvents } from "@edge/api/events";
import { useGet } from "@edge/api/hooks";
import type { NodeRow } from "@edge/api/shapes";

const PATH = "/neuron/node";

export const DRIVER = 1;
export const APP = 2;

/** Keeps the list fresh while pages are open; drawn once. */
export function FollowNodes(): null {
  const take = useCallback((event: string, data: unknown) => {
    if (event === "nodes") queryClient.setQueryData([PATH, {}, {}], { nodes: data });
  }, []);
  useEvents("/neuron/node/stream", {}, take);
  return null;
}

export function useNodes(type: number) {
  const answer = useGet(PATH);
  const nodes = answer.data?.nodes.filter((node) => node.type === type);
  return { ...answer, nodes };
}

export function useNode(name: string): NodeRow | undefined {
  return useGet(PATH).data?.nodes.find((node) => node.name === name);
}
