import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";

import { call } from "@/api/client";
import { ApiError } from "@/lib/apiError";
import type { RuleEvent, RulePreview } from "@/api/shapes";

import { contextOf, eventOf, sampleOf, type Sample } from "./events";
import { placeIn, selectedFrom, wordsIn, type Place } from "./sql";

/** So long nobody types, then the node is asked. */
const TYPING_MS = 600;

export type Verdict =
  | { kind: "rows"; rows: unknown[] }
  | { kind: "none" }
  | { kind: "problem"; message: string };

export interface Problem {
  place: Place;
  message: string;
}

export interface Tester {
  from: string;
  event: RuleEvent | undefined;
  sample: Sample;
  verdict: Verdict | null;
  /** A mistake in the text, with its place. */
  problem: Problem | null;
  isBusy: boolean;
  choose: (from: string) => void;
  put: (name: string, value: string) => void;
  /** Takes what a real message has; the rest of the sample stays. */
  fill: (part: Sample) => void;
  run: () => void;
}

interface Outcome {
  verdict: Verdict | null;
  problem: Problem | null;
}

const NOTHING: Outcome = { verdict: null, problem: null };

/** Asks the node what the rule makes of a sample: on demand, and a moment after each change. */
export function useTest(sql: string, events: readonly RuleEvent[], isLive: boolean): Tester {
  const all = selectedFrom(sql);
  const [chosen, setChosen] = useState<string | null>(null);
  const from = chosen !== null && all.includes(chosen) ? chosen : (all[0] ?? "");
  const event = eventOf(from, events);
  // What was typed stays for the event it was typed for.
  const [typed, setTyped] = useState<Record<string, Sample>>({});
  const [outcome, setOutcome] = useState(NOTHING);
  const [isBusy, setBusy] = useState(false);
  const asking = useRef<AbortController | null>(null);
  const key = event?.event ?? "";
  const sample =
    event === undefined ? {} : { ...sampleOf(event, from), ...(typed[key] ?? {}) };
  const fill = (part: Sample) =>
    setTyped((before) => ({ ...before, [key]: { ...before[key], ...part } }));

  const run = () => {
    asking.current?.abort();
    const mine = new AbortController();
    asking.current = mine;
    setBusy(true);
    const context = event === undefined ? {} : contextOf(event, sample);
    ask(sql, context, mine.signal)
      .then((found) => {
        setOutcome(found);
        setBusy(false);
      })
      // Only what a newer question took the place of comes here.
      .catch(() => undefined);
  };
  const soon = useDebouncedCallback(run, TYPING_MS);
  const asked = JSON.stringify([sql, from, sample]);
  const before = useRef(asked);
  useEffect(() => {
    if (before.current === asked) return;
    before.current = asked;
    if (isLive && sql.trim() !== "") soon();
  }, [asked, isLive, soon, sql]);
  useEffect(() => () => asking.current?.abort(), []);
  return {
    from,
    event,
    sample,
    ...outcome,
    isBusy,
    choose: setChosen,
    put: (name, value) => fill({ [name]: value }),
    fill,
    run,
  };
}

async function ask(sql: string, context: object, signal: AbortSignal): Promise<Outcome> {
  try {
    const body = { sql, context };
    const { rows, problem } = await call<RulePreview>("post", "/rule_preview", { body, signal });
    if (problem !== null) return failed(problem.message);
    return { verdict: rows.length === 0 ? { kind: "none" } : { kind: "rows", rows }, problem: null };
  } catch (error) {
    if (error instanceof DOMException) throw error;
    return failed(ApiError.from(error).message);
  }
}

function failed(message: string): Outcome {
  return { verdict: { kind: "problem", message }, problem: problemIn(message) };
}

/** What is wrong with the text and where, if that is what the message says. */
export function problemIn(message: string): Problem | null {
  const place = placeIn(message);
  return place === null ? null : { place, message: wordsIn(message) };
}
