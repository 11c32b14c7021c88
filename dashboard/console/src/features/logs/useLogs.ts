/** The records of the page: what is found, more of it, and what comes in meanwhile. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { call, type Query } from "@console/api/client";
import { AGAIN, useEvents } from "@console/api/events";
import type { LogPage, LogRow } from "@console/api/shapes";
import type { Place } from "@console/components/place";

import { LIVE, LOGS } from "./paths";
import type { Span } from "./range";
import { ROWS_MAX, withNew } from "./rows";

const PAGE_SIZE = 100;

/** Found from the newest on. */
export function useFound({ org, project }: Place, filters: Query, span: Span) {
  return useInfiniteQuery({
    queryKey: [LOGS, { org, project }, filters, span],
    queryFn: ({ pageParam, signal }) =>
      call<LogPage>("get", LOGS, {
        path: { org, project },
        query: { ...filters, ...span, size: PAGE_SIZE, ...(pageParam !== "" && { after: pageParam }) },
        signal,
      }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
}

export interface Live {
  rows: LogRow[];
  /** How many wait while it is paused. */
  waiting: number;
  /** How many came faster than they could be told. */
  leftOut: number;
  isLive: boolean;
}

/** What comes in while it is on; while it is paused nothing moves. */
export function useLive(place: Place, filters: Query, isOn: boolean, isPaused: boolean): Live {
  const [rows, setRows] = useState<LogRow[]>([]);
  const [leftOut, setLeftOut] = useState(0);
  const [waiting, setWaiting] = useState(0);
  const held = useRef<LogRow[]>([]);
  const key = JSON.stringify([place, filters, isOn]);
  useEffect(() => {
    held.current = [];
    setRows([]);
    setWaiting(0);
    setLeftOut(0);
  }, [key]);
  useEffect(() => {
    if (isPaused) return;
    const fresh = held.current;
    held.current = [];
    setWaiting(0);
    setRows((before) => withNew(before, fresh));
  }, [isPaused]);
  const isLive = useEvents(
    LIVE,
    { org: place.org, project: place.project },
    (event, data) => {
      if (event === AGAIN) return;
      if (event === "leftOut") {
        setLeftOut((before) => before + (data as { count: number }).count);
      } else if (isPaused) {
        held.current = [...held.current, data as LogRow].slice(-ROWS_MAX);
        setWaiting(held.current.length);
      } else {
        setRows((before) => withNew(before, [data as LogRow]));
      }
    },
    { query: filters, isOn },
  );
  return { rows, waiting, leftOut, isLive };
}
