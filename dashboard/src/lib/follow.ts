/** Streams of events that a page follows while it is open, back by itself when the connection is lost. */
import { useEffect, useRef, useState } from "react";

import { ApiError } from "./apiError";
import { readEvents } from "./eventStream";
import type { Call, Query } from "./rest";

const FIRST_WAIT_MS = 1000;
const WAIT_MAX_MS = 30_000;

export type OnEvent = (event: string, data: unknown) => void;

/** What a page is told when the stream is back: it may have missed something. */
export const AGAIN = "again";

interface Stream {
  path: string;
  values: Record<string, string>;
  query: Query;
}

interface Following {
  query?: Query;
  /** Nothing is asked while it is off. */
  isOn?: boolean;
}

/** Waits longer after each failure, and never as long as another page that failed with it. */
function waitAfter(failures: number): number {
  const longest = Math.min(FIRST_WAIT_MS * 2 ** failures, WAIT_MAX_MS);
  return longest / 2 + Math.random() * (longest / 2);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function follow(
  call: Call,
  { path, values, query }: Stream,
  onEvent: OnEvent,
  onState: (isLive: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  let hasRun = false;
  while (!signal.aborted) {
    try {
      const body = await call<ReadableStream<Uint8Array>>("get", path, {
        path: values,
        query,
        parse: "stream",
        signal,
      });
      failures = 0;
      if (hasRun) onEvent(AGAIN, null);
      hasRun = true;
      onState(true);
      await readEvents(body, ({ event, data }) => onEvent(event, JSON.parse(data)));
    } catch (error) {
      // A refusal does not become an agreement by asking again.
      const status = error instanceof ApiError ? error.status : 0;
      if (status >= 400 && status < 500) return;
    }
    if (signal.aborted) return;
    onState(false);
    await pause(waitAfter(failures), signal);
    failures += 1;
  }
}

/** Follows a stream of events while the page is open; answers whether it is connected. */
export type UseEvents = (
  path: string,
  values: Record<string, string>,
  onEvent: OnEvent,
  following?: Following,
) => boolean;

/** The hook, for who asks by `call`. */
export function makeUseEvents(call: Call): UseEvents {
  return function useEvents(
    path: string,
    values: Record<string, string>,
    onEvent: OnEvent,
    { query = {}, isOn = true }: Following = {},
  ): boolean {
    const [isLive, setLive] = useState(false);
    const latest = useRef(onEvent);
    useEffect(() => {
      latest.current = onEvent;
    });
    const key = JSON.stringify({ values, query });
    useEffect(() => {
      if (!isOn) return undefined;
      const stop = new AbortController();
      const stream: Stream = { path, ...(JSON.parse(key) as Omit<Stream, "path">) };
      void follow(call, stream, (event, data) => latest.current(event, data), setLive, stop.signal);
      return () => {
        stop.abort();
        setLive(false);
      };
    }, [path, key, isOn]);
    return isLive;
  }
}
